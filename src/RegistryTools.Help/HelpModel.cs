namespace RegistryTools.Help;

/// <summary>A piece of prose. Its text is Markdown: code spans, links, emphasis.</summary>
internal abstract record Block;

/// <summary>A paragraph.</summary>
internal sealed record Paragraph(string Text) : Block;

/// <summary>A bulleted list.</summary>
internal sealed record Bullets(IReadOnlyList<string> Items) : Block;

/// <summary>All that the help says.</summary>
internal sealed record ModuleHelp(IReadOnlyList<CmdletHelp> Cmdlets, IReadOnlyList<TypeHelp> Types);

/// <summary>What the help says of a cmdlet.</summary>
internal sealed record CmdletHelp
{
    public required string Verb { get; init; }

    public required string Noun { get; init; }

    public string Name => Verb + "-" + Noun;

    /// <summary>One sentence.</summary>
    public required string Synopsis { get; init; }

    public IReadOnlyList<Block> Description { get; init; } = [];

    /// <summary>The names of the parameter sets, the default one first.</summary>
    public required IReadOnlyList<string> Sets { get; init; }

    /// <summary>Whether the first set is the default one by declaration.</summary>
    public bool HasDefaultSet { get; init; }

    /// <summary>By name.</summary>
    public required IReadOnlyList<ParameterHelp> Parameters { get; init; }

    public IReadOnlyList<Example> Examples { get; init; } = [];

    public IReadOnlyList<TypeNote> Inputs { get; init; } = [];

    public IReadOnlyList<TypeNote> Outputs { get; init; } = [];

    public IReadOnlyList<Block> Notes { get; init; } = [];

    public IReadOnlyList<string> Links { get; init; } = [];
}

/// <summary>What the help says of a parameter.</summary>
internal sealed record ParameterHelp
{
    public required string Name { get; init; }

    /// <summary>The type's name as PowerShell shows it: String[], SwitchParameter.</summary>
    public required string Type { get; init; }

    public required IReadOnlyList<Block> Description { get; init; }

    /// <summary>How it is used in each parameter set that has it.</summary>
    public required IReadOnlyList<ParameterUse> Uses { get; init; }

    public IReadOnlyList<string> Aliases { get; init; } = [];

    public bool TakesWildcards { get; init; }

    /// <summary>What counts where it is not given, as Markdown; None for nothing.</summary>
    public string Default { get; init; } = "None";

    /// <summary>The values that it takes, where they are few.</summary>
    public IReadOnlyList<AcceptedValue> Values { get; init; } = [];

    /// <summary>The numbers that it takes; null where that is not limited.</summary>
    public string? Range { get; init; }

    public bool IsSwitch => Type == "SwitchParameter";

    /// <summary>Its use in a set; null where the set lacks it.</summary>
    public ParameterUse? In(string set) => Uses.FirstOrDefault(use => use.Set == set) ?? Uses.FirstOrDefault(static use => use.Set == ParameterUse.AllSets);
}

/// <summary>How a parameter is used in a parameter set.</summary>
/// <param name="Set">The set.</param>
/// <param name="IsMandatory">Whether it must be given.</param>
/// <param name="Position">Its position, from 0; null where it is named.</param>
/// <param name="ByValue">Whether piped objects bind to it.</param>
/// <param name="ByPropertyName">Whether a property of piped objects binds to it.</param>
internal sealed record ParameterUse(string Set, bool IsMandatory, int? Position, bool ByValue, bool ByPropertyName)
{
    public const string AllSets = "__AllParameterSets";

    /// <summary>As MAML and Get-Help have it.</summary>
    public string PipelineInput => (ByValue, ByPropertyName) switch
    {
        (true, true) => "True (ByValue, ByPropertyName)",
        (true, false) => "True (ByValue)",
        (false, true) => "True (ByPropertyName)",
        _ => "False",
    };
}

/// <summary>A value that a parameter takes.</summary>
internal sealed record AcceptedValue(string Value, string? Description);

/// <summary>A type that is piped in or comes out, and when.</summary>
internal sealed record TypeNote(string Type, string Description);

/// <summary>An example.</summary>
internal sealed record Example
{
    public required string Title { get; init; }

    public required string Code { get; init; }

    /// <summary>What is shown then; null where the example does not show it.</summary>
    public string? Output { get; init; }

    public IReadOnlyList<Block> Remarks { get; init; } = [];

    /// <summary>What the tests run before it; null for nothing.</summary>
    public string? Before { get; init; }

    /// <summary>An expression that is true when it has run; null for none.</summary>
    public string? Check { get; init; }

    /// <summary>Why the tests only parse and bind it; null where they run it.</summary>
    public string? NotRun { get; init; }

    public int Line { get; init; }
}

/// <summary>What there is to know of a type of objects that cmdlets write.</summary>
internal sealed record TypeHelp(string Name, string FullName, string Summary, bool IsEnum, IReadOnlyList<MemberHelp> Members);

/// <summary>A property of such a type, or a value.</summary>
internal sealed record MemberHelp(string Name, string Type, string Description);
