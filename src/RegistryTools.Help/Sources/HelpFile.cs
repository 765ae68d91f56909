namespace RegistryTools.Help.Sources;

/// <summary>
/// What <c>src/RegistryTools/Help/NAME.md</c> says of a cmdlet: sections <c>## Description</c>, <c>Parameters</c> (<c>### -Name</c>, in place of the XML documentation's text), <c>Examples</c> (<c>### Title</c>),
/// <c>Inputs</c>, <c>Outputs</c> (<c>- Type: text</c>), <c>Notes</c>, <c>Links</c>. Links are relative to docs/cmdlets.
/// </summary>
internal sealed class HelpFile
{
    private static readonly string[] Sections = ["Description", "Parameters", "Examples", "Inputs", "Outputs", "Notes", "Links"];

    private readonly string _path;
    private readonly Dictionary<string, IReadOnlyList<Block>> _parameters = new(StringComparer.OrdinalIgnoreCase);

    private HelpFile(string path) => _path = path;

    public string Name => Path.GetFileNameWithoutExtension(_path);

    public IReadOnlyList<Block> Description { get; private set; } = [];

    /// <summary>What is said of a parameter in place of its XML documentation.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<Block>> Parameters => _parameters;

    public IReadOnlyList<Example> Examples { get; private set; } = [];

    public IReadOnlyList<TypeNote> Inputs { get; private set; } = [];

    public IReadOnlyList<TypeNote> Outputs { get; private set; } = [];

    public IReadOnlyList<Block> Notes { get; private set; } = [];

    public IReadOnlyList<string> Links { get; private set; } = [];

    /// <summary>Reads a file; where there is none, it says nothing.</summary>
    /// <exception cref="HelpSourceException">It is not written as it should be.</exception>
    public static HelpFile Read(string path)
    {
        var file = new HelpFile(path);
        if (!File.Exists(path)) return file;
        var lines = File.ReadAllLines(path).Select(static (text, index) => new Line(text.TrimEnd(), index + 1)).ToList();
        var first = lines.FirstOrDefault(static line => line.Text.Length > 0);
        if (first?.Text != "# " + file.Name) throw file.Wrong(first?.Number ?? 1, $"It does not begin with '# {file.Name}'.");
        foreach (var (title, body) in file.Split([.. lines.SkipWhile(line => line != first).Skip(1)], "## ")) file.Take(title, body);
        return file;
    }

    private void Take(Line title, List<Line> body)
    {
        switch (title.Text)
        {
            case "Description":
                Description = Blocks(body);
                break;
            case "Parameters":
                foreach (var (name, text) in Split(body, "### "))
                {
                    if (!name.Text.StartsWith('-')) throw Wrong(name.Number, "A parameter's title is '### -Name'.");
                    _parameters[name.Text[1..]] = Blocks(text);
                }

                break;
            case "Examples":
                Examples = [.. Split(body, "### ").Select(part => ReadExample(part.Title, part.Body))];
                break;
            case "Inputs":
                Inputs = Types(body);
                break;
            case "Outputs":
                Outputs = Types(body);
                break;
            case "Notes":
                Notes = Blocks(body);
                break;
            case "Links":
                Links = Items(body);
                break;
            default:
                throw Wrong(title.Number, $"'{title.Text}' is none of the sections: {string.Join(", ", Sections)}.");
        }
    }

    private Example ReadExample(Line title, List<Line> body)
    {
        string? before = null, check = null, notRun = null, code = null, output = null;
        var remarks = new List<Line>();
        for (var i = 0; i < body.Count; i++)
        {
            var line = body[i];
            if (line.Text.StartsWith("<!--", StringComparison.Ordinal))
            {
                var comment = new List<string>();
                while (true)
                {
                    comment.Add(body[i].Text);
                    if (body[i].Text.EndsWith("-->", StringComparison.Ordinal)) break;
                    if (++i == body.Count) throw Wrong(line.Number, "A comment has no end.");
                }

                var text = string.Join('\n', comment)[4..^3].Trim();
                var colon = text.IndexOf(':', StringComparison.Ordinal);
                var value = colon < 0 ? string.Empty : text[(colon + 1)..].Trim();
                switch (colon < 0 ? text : text[..colon])
                {
                    case "before":
                        before = value;
                        break;
                    case "check":
                        check = value;
                        break;
                    case "not run":
                        notRun = value;
                        break;
                    default:
                        throw Wrong(line.Number, "A comment is 'before: script', 'check: expression' or 'not run: reason'.");
                }
            }
            else if (line.Text.StartsWith("```", StringComparison.Ordinal))
            {
                var content = new List<string>();
                while (true)
                {
                    if (++i == body.Count) throw Wrong(line.Number, "A code block has no end.");
                    if (body[i].Text == "```") break;
                    content.Add(body[i].Text);
                }

                var text = string.Join('\n', content);
                if (line.Text == "```powershell" && code is null) code = text;
                else if (line.Text == "```output" && code is not null && output is null) output = text;
                else throw Wrong(line.Number, "An example has one block of 'powershell', and after it one of 'output' at most.");
            }
            else
            {
                remarks.Add(line);
            }
        }

        if (string.IsNullOrWhiteSpace(code)) throw Wrong(title.Number, $"The example '{title.Text}' has no code.");
        return new Example { Title = title.Text, Code = code, Output = output, Remarks = Blocks(remarks), Before = before, Check = check, NotRun = notRun, Line = title.Number };
    }

    private List<TypeNote> Types(List<Line> body)
    {
        var notes = new List<TypeNote>();
        foreach (var item in Items(body))
        {
            var colon = item.IndexOf(": ", StringComparison.Ordinal);
            if (colon < 0 && item != "None") throw Wrong(body[0].Number, $"'{item}' is not '- Type: text'.");
            notes.Add(colon < 0 ? new TypeNote(item, string.Empty) : new TypeNote(item[..colon], item[(colon + 2)..]));
        }

        return notes;
    }

    private IReadOnlyList<string> Items(List<Line> body)
    {
        var blocks = Blocks(body);
        return blocks is [Bullets list] ? list.Items : blocks.Count == 0 ? [] : throw Wrong(body[0].Number, "This section is one list.");
    }

    private List<Block> Blocks(List<Line> lines)
    {
        var blocks = new List<Block>();
        var paragraph = new List<string>();
        var items = new List<string>();
        foreach (var (text, number) in lines.Append(new Line(string.Empty, 0)))
        {
            if (text.StartsWith("```", StringComparison.Ordinal) || text.StartsWith('#') || text.StartsWith('|') || text.StartsWith("<!--", StringComparison.Ordinal)) throw Wrong(number, $"Here are paragraphs and lists, and not '{text}'.");
            if (text.StartsWith("- ", StringComparison.Ordinal))
            {
                End();
                items.Add(text[2..].Trim());
            }
            else if (text.Length > 0 && items.Count > 0 && text[0] == ' ')
            {
                items[^1] += " " + text.Trim();
            }
            else if (text.Length > 0)
            {
                EndList();
                paragraph.Add(text.Trim());
            }
            else
            {
                End();
            }
        }

        EndList();
        return blocks;

        void End()
        {
            if (paragraph.Count == 0) return;
            blocks.Add(new Paragraph(string.Join(' ', paragraph)));
            paragraph.Clear();
        }

        void EndList()
        {
            if (items.Count == 0) return;
            blocks.Add(new Bullets([.. items]));
            items.Clear();
        }
    }

    private IEnumerable<(Line Title, List<Line> Body)> Split(List<Line> lines, string mark)
    {
        (Line Title, List<Line> Body)? part = null;
        var isCode = false;
        foreach (var line in lines)
        {
            if (line.Text.StartsWith("```", StringComparison.Ordinal)) isCode = !isCode;
            if (!isCode && line.Text.StartsWith(mark, StringComparison.Ordinal))
            {
                if (part is { } done) yield return done;
                part = (line with { Text = line.Text[mark.Length..].Trim() }, []);
            }
            else if (part is { } open)
            {
                open.Body.Add(line);
            }
            else if (line.Text.Length > 0)
            {
                throw Wrong(line.Number, $"There is text before the first '{mark.Trim()}'.");
            }
        }

        if (part is { } last) yield return last;
    }

    private HelpSourceException Wrong(int line, string message) => new(_path, line, message);

    private sealed record Line(string Text, int Number);
}
