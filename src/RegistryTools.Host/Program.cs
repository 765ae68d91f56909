using RegistryTools.Host.CommandLine;
using RegistryTools.Host.Shell;

return HostProgram.Run(args, new SystemTerminal());
