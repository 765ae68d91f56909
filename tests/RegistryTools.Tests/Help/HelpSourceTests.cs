using System.Diagnostics;
using RegistryTools.Help;
using RegistryTools.Help.Sources;

namespace RegistryTools.Cmdlets.Tests.Help;

/// <summary>What the help is made of: what is wrong in it is told, with its place.</summary>
public sealed class HelpSourceTests : IDisposable
{
    private readonly string _path = Path.Combine(Directory.CreateTempSubdirectory("registrytools-help-").FullName, "Get-RegistryTag.md");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_path)!, recursive: true);

    [Fact]
    public void A_file_is_read_by_its_sections()
    {
        var file = Write("""
            # Get-RegistryTag

            ## Description

            One
            paragraph.

            - A point,
              and more of it.
            - Another.

            ## Parameters

            ### -Name

            What it is here.

            ## Examples

            ### The first

            <!-- before: $a = 1 -->
            <!-- check:
              $a -eq 1
            -->

            ```powershell
            Get-RegistryTag i1
            # ## no title
            ```

            ```output
            T1
            ```

            Said of it.

            ## Inputs

            - System.String: names: of tags

            ## Links

            - Connect-Registry
            - [A page](../page.md)
            """);
        Assert.Equal([new Paragraph("One paragraph.")], file.Description.Take(1));
        Assert.Equal(["A point, and more of it.", "Another."], Assert.IsType<Bullets>(file.Description[1]).Items);
        Assert.Equal("What it is here.", Assert.IsType<Paragraph>(Assert.Single(file.Parameters["name"])).Text);
        var example = Assert.Single(file.Examples);
        Assert.Equal(("The first", "Get-RegistryTag i1\n# ## no title", "T1", "$a = 1", "$a -eq 1", null), (example.Title, example.Code, example.Output, example.Before, example.Check, example.NotRun));
        Assert.Equal(new TypeNote("System.String", "names: of tags"), Assert.Single(file.Inputs));
        Assert.Equal(["Connect-Registry", "[A page](../page.md)"], file.Links);
    }

    [Theory]
    [InlineData("# Get-RegistryTags", 1, "'# Get-RegistryTag'")]
    [InlineData("# Get-RegistryTag\n\ntext", 3, "text before")]
    [InlineData("# Get-RegistryTag\n\n## Descripton\n", 3, "none of the sections")]
    [InlineData("# Get-RegistryTag\n\n## Examples\n\n### One\n\ntext\n", 5, "has no code")]
    [InlineData("# Get-RegistryTag\n\n## Examples\n\n### One\n\n```powershell\n1\n", 7, "no end")]
    [InlineData("# Get-RegistryTag\n\n## Examples\n\n### One\n\n```bash\n1\n```\n", 7, "one block of 'powershell'")]
    [InlineData("# Get-RegistryTag\n\n## Examples\n\n### One\n\n<!-- unless: x -->\n", 7, "A comment is")]
    [InlineData("# Get-RegistryTag\n\n## Parameters\n\n### Name\n\nx\n", 5, "'### -Name'")]
    [InlineData("# Get-RegistryTag\n\n## Inputs\n\n- System.String\n", 4, "'- Type: text'")]
    [InlineData("# Get-RegistryTag\n\n## Description\n\n| a | table |\n", 5, "paragraphs and lists")]
    public void What_is_wrong_is_told_with_its_line(string text, int line, string message)
    {
        var error = Assert.Throws<HelpSourceException>(() => Write(text));
        Assert.Equal((_path, line), (error.File, error.Line));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_names_no_cmdlet_or_parameter_is_told_as_the_build_tells_errors()
    {
        Write("# Get-RegistryTag\n\n## Parameters\n\n### -Nmae\n\nx\n");
        Assert.Equal((1, $"{_path}(1): error RTHELP: Get-RegistryTag has no parameter -Nmae."), await MakeAsync());
        Write("# Get-RegistryTag\n\n## Parameters\n\n### -Name\n\nInstead of it.\n");
        Assert.Equal((0, string.Empty), await MakeAsync());
        var page = File.ReadAllText(Path.Combine(Path.GetDirectoryName(_path)!, "made", "cmdlets", "Get-RegistryTag.md"));
        Assert.Contains("### -Name\n\nInstead of it.\n", page, StringComparison.Ordinal);
        var other = Path.Combine(Path.GetDirectoryName(_path)!, "Get-Nothing.md");
        File.WriteAllText(other, "# Get-Nothing\n");
        Assert.Equal((1, $"{other}(1): error RTHELP: There is no such cmdlet."), await MakeAsync());
    }

    [Theory]
    [InlineData("`-Name` and **this** of [the page](../page.md)", "-Name and this of the page")]
    [InlineData(@"such as \*, 1 \< 2 and `*`", "such as *, 1 < 2 and *")]
    [InlineData("[`Get-It`](x.md)", "Get-It")]
    public void Markdown_as_plain_text(string markdown, string plain) => Assert.Equal(plain, MarkdownText.Plain(markdown));

    [Theory]
    [InlineData("a * b < c ` d \\ e")]
    [InlineData("REGISTRYTOOLS_TOKEN and 'x*'")]
    public void What_is_escaped_comes_back(string text) => Assert.Equal(text, MarkdownText.Plain(MarkdownText.Escape(text)));

    private HelpFile Write(string text)
    {
        File.WriteAllText(_path, text);
        return HelpFile.Read(_path);
    }

    // In a process of its own: in this one the module is loaded once, as the tests of that hold.
    private async Task<(int Code, string Error)> MakeAsync()
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var directory = Path.GetDirectoryName(_path)!;
        var start = new ProcessStartInfo(Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? Environment.ProcessPath : "dotnet") { RedirectStandardError = true };
        foreach (var argument in new[] { typeof(HelpFile).Assembly.Location, Path.Combine(ModuleSession.Root, "src", "RegistryTools", "bin", configuration, "net8.0", "RegistryTools.dll"), directory, Path.Combine(directory, "made") }) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, error.Trim());
    }
}
