using RegistryTools.Host.CommandLine;

namespace RegistryTools.Cmdlets.Tests.Host;

public sealed class HostArgumentsTests
{
    [Fact]
    public void NothingIsTheTour() => Assert.Equal(HostMode.Tour, HostArguments.Parse([]).Mode);

    [Theory]
    [InlineData("-Command")]
    [InlineData("-command")]
    [InlineData("-c")]
    [InlineData("--command")]
    public void CommandTakesAllThatFollows(string name)
    {
        HostArguments arguments = HostArguments.Parse(["-Width", "80", name, "Get-Module", "-All", "|", "% Name"]);
        Assert.Equal(HostMode.Command, arguments.Mode);
        Assert.Equal("Get-Module -All | % Name", arguments.Command);
        Assert.Equal(80, arguments.Width);
    }

    [Fact]
    public void FileLeavesItsArgumentsAlone()
    {
        HostArguments arguments = HostArguments.Parse(["-File", "x.ps1", "-Width", "-Help"]);
        Assert.Equal("x.ps1", arguments.File);
        Assert.Equal(["-Width", "-Help"], arguments.FileArguments);
        Assert.Null(arguments.Width);
    }

    [Fact]
    public void ServeTakesAPortAndADirectoryInAnyOrder()
    {
        HostArguments arguments = HostArguments.Parse(["-storage", "/srv/registry", "-serve", "5000", "-behave", "2.8-No-Delete"]);
        Assert.Equal((HostMode.Serve, 5000, "/srv/registry", "2.8-no-delete"), (arguments.Mode, arguments.Port, arguments.StoragePath, arguments.Behaviour));
    }

    [Theory]
    [InlineData("-h")]
    [InlineData("-?")]
    [InlineData("--help")]
    public void HelpIsAskedForInTheUsualWays(string name) => Assert.Equal(HostMode.Help, HostArguments.Parse([name]).Mode);

    [Theory]
    [InlineData("is no option", "-Nonsense")]
    [InlineData("is no option", "stray")]
    [InlineData("is no option", "-")]
    [InlineData("could be -Width or -WithRegistry", "-Wi", "80")]
    [InlineData("-Command needs commands", "-Command")]
    [InlineData("-File needs the path", "-File")]
    [InlineData("-Serve needs a port", "-Serve")]
    [InlineData("not '70000'", "-Serve", "70000", "-StoragePath", "x")]
    [InlineData("not '+80'", "-Width", "+80")]
    [InlineData("not '5'", "-Width", "5")]
    [InlineData("-Serve needs -StoragePath", "-Serve", "5000")]
    [InlineData("-Seed goes with -Serve", "-Seed")]
    [InlineData("-EndWithInput goes with -Serve", "-EndWithInput", "-Command", "1")]
    [InlineData("-EndWithInput goes with -Serve", "-EndWithInput", "-WithRegistry", "-Interactive")]
    [InlineData("-Behave goes with", "-Behave", "3")]
    [InlineData("not '4'", "-WithRegistry", "-Behave", "4", "-Command", "1")]
    [InlineData("could be -Seed or -Serve", "-se", "5000")]
    [InlineData("-StoragePath goes with -Serve", "-StoragePath", "x")]
    [InlineData("-StoragePath goes with -Serve", "-StoragePath", "x", "-Command", "1")]
    [InlineData("-Interactive and -Command exclude each other", "-Interactive", "-Command", "1")]
    [InlineData("-Interactive is given twice", "-Interactive", "-Interactive")]
    [InlineData("exclude each other", "-Interactive", "-NonInteractive")]
    [InlineData("the tour has a registry anyway", "-WithRegistry")]
    public void WhatMakesNoSenseIsSaid(string message, params string[] args) =>
        Assert.Contains(message, Assert.Throws<UsageException>(() => HostArguments.Parse(args)).Message, StringComparison.Ordinal);
}
