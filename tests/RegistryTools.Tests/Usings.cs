global using RegistryTools.Cmdlets.Tests.Support;
global using Xunit;
