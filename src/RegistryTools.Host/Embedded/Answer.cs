using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace RegistryTools.Host.Embedded;

/// <summary>An answer in the making: nothing of it leaves before it is sent.</summary>
internal sealed class Answer
{
    public int StatusCode { get; set; } = 200;

    public Dictionary<string, Microsoft.Extensions.Primitives.StringValues> Headers { get; } = new(StringComparer.OrdinalIgnoreCase);

    public byte[] Body { get; set; } = [];

    public string? ContentType { get; set; }

    /// <summary>A file to send in the body's place: from an offset, so many bytes.</summary>
    public (string Path, long Offset, long Length)? File { get; set; }

    public void Json(object value)
    {
        Body = JsonSerializer.SerializeToUtf8Bytes(value);
        ContentType = "application/json; charset=utf-8";
    }

    public void Error(int status, string code, string message, object? detail = null)
    {
        StatusCode = status;
        Json(new { errors = new[] { new { code, message, detail } } });
    }

    /// <summary>Sends it, all of it or as a fault would have it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="cut">How many bytes of the body leave; the rest never does.</param>
    /// <param name="perByte">How long each byte of the body takes.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task SendAsync(HttpContext context, int? cut, TimeSpan? perByte, CancellationToken cancellationToken)
    {
        var response = context.Response;
        response.StatusCode = StatusCode;
        foreach (var header in Headers) response.Headers.Append(header.Key, header.Value);
        if (ContentType is not null) response.ContentType = ContentType;
        var bodiless = StatusCode is 204 or 304;
        var length = File?.Length ?? Body.Length;
        if (!bodiless) response.ContentLength = length;
        if (bodiless || HttpMethods.IsHead(context.Request.Method)) return;
        if (cut is null && perByte is null)
        {
            if (File is { } file) await response.SendFileAsync(file.Path, file.Offset, file.Length, cancellationToken);
            else await response.Body.WriteAsync(Body, cancellationToken);
            return;
        }

        await using Stream content = File is { } part ? System.IO.File.OpenRead(part.Path) : new MemoryStream(Body, writable: false);
        content.Seek(File?.Offset ?? 0, SeekOrigin.Begin);
        var left = Math.Min(cut ?? length, length);
        var buffer = new byte[perByte is null ? 64 * 1024 : 1];
        int count;
        while (left > 0 && (count = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)), cancellationToken)) > 0)
        {
            if (perByte is { } pause) await Task.Delay(pause, cancellationToken);
            await response.Body.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            await response.Body.FlushAsync(cancellationToken);
            left -= count;
        }

        // A body that is shorter than its headers say makes the server close the connection; aborting it here could take the headers too.
        if (cut is not null) await response.Body.FlushAsync(cancellationToken);
    }
}
