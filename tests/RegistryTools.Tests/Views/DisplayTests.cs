using System.Globalization;
using System.Reflection;

namespace RegistryTools.Cmdlets.Tests.Views;

/// <summary>What the views call, by itself.</summary>
public sealed class DisplayTests
{
    private static readonly DateTimeOffset Now = new(2024, 6, 15, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(null, "")]
    [InlineData(0L, "0 B")]
    [InlineData(999L, "999 B")]
    [InlineData(1000L, "1.0 kB")]
    [InlineData(1234L, "1.2 kB")]
    [InlineData(9949L, "9.9 kB")]
    [InlineData(9950L, "10 kB")]
    [InlineData(999_499L, "999 kB")]
    [InlineData(999_500L, "1.0 MB")]
    [InlineData(123_456_789_012L, "123 GB")]
    [InlineData(long.MaxValue, "9.2 EB")]
    [InlineData(-1L, "-1 B")]
    [InlineData(12, "12 B")]
    public void A_size_fits_seven_characters(object? bytes, string text)
    {
        Assert.Equal(text, Call("Size", bytes));
        Assert.True(text.Length <= 7);
    }

    [Fact]
    public void A_list_tells_the_exact_number_of_bytes_as_well()
    {
        Assert.Equal("999 B", Call("Bytes", 999L));
        Assert.Equal("1.2 kB (1,234 bytes)", Call("Bytes", 1234L));
        Assert.Equal(string.Empty, Call("Bytes", [null]));
    }

    [Theory]
    [InlineData(0, "just now")]
    [InlineData(-3, "just now")]
    [InlineData(1, "1 min ago")]
    [InlineData(59, "59 min ago")]
    [InlineData(60, "1 hour ago")]
    [InlineData(60 * 24, "1 day ago")]
    [InlineData(60 * 24 * 13, "13 days ago")]
    [InlineData(60 * 24 * 14, "2 weeks ago")]
    [InlineData(60 * 24 * 60, "1 month ago")]
    [InlineData(60 * 24 * 360, "11 months ago")]
    [InlineData(60 * 24 * 731, "2 years ago")]
    [InlineData(-60, "2024-06-15")]
    [InlineData(60 * 24 * 365 * 54, "1970-06-29")]
    public void An_age_fits_thirteen_characters(int minutes, string text)
    {
        Assert.Equal(text, Call("Age", Now.AddMinutes(-minutes), Now));
        Assert.True(text.Length <= 13);
    }

    [Fact]
    public void A_time_has_its_age_beside_it_and_a_date_of_no_meaning_has_none()
    {
        Assert.Equal("2024-06-14 14:00:00 +02:00 (1 day ago)", Call("Time", new DateTimeOffset(2024, 6, 14, 14, 0, 0, TimeSpan.FromHours(2)), Now));
        Assert.Equal("1970-01-01 00:00:00 +00:00", Call("Time", DateTimeOffset.UnixEpoch, Now));
        Assert.Equal(string.Empty, Call("Time", null, Now));
        Assert.Equal("9999-12-31", Call("Age", DateTimeOffset.MaxValue, Now));
        Assert.Equal("0001-01-01", Call("Age", DateTimeOffset.MinValue, Now));
    }

    [Theory]
    [InlineData("00:00:01.54", "1.5 s")]
    [InlineData("00:00:42", "42 s")]
    [InlineData("00:03:20", "3 min 20 s")]
    [InlineData("1.02:05:00", "26 h 5 min")]
    [InlineData("5.03:00:00", "5 days 3 h")]
    public void A_duration_is_told_in_its_own_unit(string span, string text) => Assert.Equal(text, Call("Duration", TimeSpan.Parse(span, CultureInfo.InvariantCulture)));

    [Theory]
    [InlineData("sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "0123456789ab")]
    [InlineData("sha512:fedcba98", "fedcba98")]
    [InlineData("", "")]
    [InlineData(null, "")]
    public void A_digest_is_shortened(string? digest, string text) => Assert.Equal(text, Call("Digest", [digest]));

    [Theory]
    [InlineData("linux/amd64", "linux/amd64")]
    [InlineData("linux/amd64 linux/arm64/v8", "linux/amd64, arm64")]
    [InlineData("linux/amd64 windows/amd64", "linux/amd64 +1")]
    [InlineData("linux/386 linux/amd64 linux/arm/v5 linux/arm/v6 linux/arm/v7 linux/arm64/v8 linux/mips64le linux/ppc64le linux/riscv64 linux/s390x windows/amd64 windows/arm64", "linux/386, amd64 +10")]
    [InlineData("an-operating-system/with-a-long-name linux/amd64", "an-operating-sys\u2026 +1")]
    [InlineData("", "")]
    public void Platforms_fit_their_column(string platforms, string text)
    {
        Assert.Equal(text, Call("Platforms", platforms.Split(' ', StringSplitOptions.RemoveEmptyEntries), 20));
        Assert.True(text.Length <= 20);
    }

    [Fact]
    public void What_comes_from_an_image_can_do_nothing_to_the_terminal()
    {
        Assert.Equal(" [31mred   [2J", Call("Line", "\u001b[31mred\r\n\u001b[2J"));
        Assert.DoesNotContain('\u001b', Call("Join", (object)new[] { "\u001b]0;title\u0007", "b" }));
        Assert.DoesNotContain('\u001b', Call("Lines", new Dictionary<string, string> { ["a\u001b[1m"] = "b\u001b[1m" }));
        Assert.DoesNotContain('\u001b', Call("Contents", Array.Empty<string>(), "application/\u001b[1m", "Artifact", false, 20));
    }

    [Fact]
    public void Texts_are_cut_to_a_width_and_digests_in_messages_are_shortened()
    {
        Assert.Equal("abcd\u2026", Call("Fit", "abcdefgh", 5));
        Assert.Equal("abcde", Call("Fit", "abcde", 5));
        var sha = new string('a', 64);
        Assert.Equal($"The manifest sha256:{sha[..12]}\u2026 is gone", Call("Message", $"The manifest sha256:{sha} is gone"));
    }

    [Fact]
    public void What_another_process_has_made_texts_of_is_taken()
    {
        Assert.Equal("1970-01-02", Call("Age", "01/02/1970 03:04:05 +00:00", Now));
        Assert.Equal("a, b", Call("Join", new System.Collections.ArrayList { "a", "b" }));
        Assert.Equal("1.2 kB", Call("Size", System.Management.Automation.PSObject.AsPSObject(1234L)));
        Assert.Equal("what?", Call("Age", "what?", Now));
    }

    [Fact]
    public void Nothing_depends_on_the_culture()
    {
        var culture = CultureInfo.CurrentCulture;
        try
        {
            var german = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            (german.NumberFormat.NumberDecimalSeparator, german.NumberFormat.NumberGroupSeparator) = (",", ".");
            CultureInfo.CurrentCulture = german;
            Assert.Equal("1.234,5", 1234.5.ToString("N1", null));
            Assert.Equal("1.2 kB (1,234 bytes)", Call("Bytes", 1234L));
            Assert.Equal("12,345", Call("Count", 12345));
            Assert.Equal("1.5 s", Call("Duration", TimeSpan.FromSeconds(1.5)));
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    /// <summary>The child has its own environment, and its output is no terminal: only where that is asked for are there colours, and never with NO_COLOR.</summary>
    [Theory]
    [InlineData("Ansi", null, true)]
    [InlineData("Ansi", "1", false)]
    [InlineData("Host", null, false)]
    public async Task Colours_are_where_they_are_wanted(string rendering, string? noColor, bool coloured)
    {
        using var shell = new ChildShell();
        shell.Variables["NO_COLOR"] = noColor;
        var (output, error) = await shell.RunAsync(
            $"$PSStyle.OutputRendering = '{rendering}'; 'Failed', 'Pending', 'Keep', 'Removed' | ForEach-Object {{ [RegistryTools.PowerShell.Display]::State($_).Replace([string][char]27, '^') }}; [RegistryTools.PowerShell.Display]::Name('T1', $true).Replace([string][char]27, '^')");
        Assert.Equal(string.Empty, error);
        Assert.Equal(coloured ? ["^[31;1mFailed^[0m", "^[33;1mPending^[0m", "^[2mKeep^[0m", "Removed", "^[2mT1^[0m"] : ["Failed", "Pending", "Keep", "Removed", "T1"], output);
    }

    private static string Call(string name, params object?[] arguments)
    {
        var method = OutputTypes.Assembly.GetType("RegistryTools.PowerShell.Display", true)!.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static)
            .Single(method => method.Name == name && method.GetParameters().Length == arguments.Length && method.GetParameters().All(parameter => parameter.ParameterType != typeof(long)));
        return (string)method.Invoke(null, arguments)!;
    }
}
