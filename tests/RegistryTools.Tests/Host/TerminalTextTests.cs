using RegistryTools.Host.Shell;

namespace RegistryTools.Cmdlets.Tests.Host;

public sealed class TerminalTextTests
{
    [Theory]
    [InlineData("", 0)]
    [InlineData("plain", 5)]
    [InlineData("\x1b[31;1mred\x1b[0m", 3)]
    [InlineData("\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\", 4)]
    [InlineData("日本", 4)]
    [InlineData("e\u0301", 1)]
    [InlineData("\U0001F433", 2)]
    public void CellsAreWhatATerminalShows(string text, int cells) => Assert.Equal(cells, TerminalText.Cells(text));

    [Theory]
    [InlineData("日本語", 5, "日本")]
    [InlineData("plain", 3, "pla")]
    [InlineData("plain", 9, "plain")]
    public void WhatFitsIsNeverWiderThanTheRoom(string text, int cells, string fitted) => Assert.Equal(fitted, TerminalText.Fit(text, cells));

    [Fact]
    public void LinesBreakBetweenWords() =>
        Assert.Equal(["one two", "three", "much-too-long", "x"], TerminalText.Wrap("one two three much-too-long x", 9));
}
