using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace RegistryTools.Host.Embedded;

/// <summary>An answer in the making: nothing of it leaves before it is sent.</summary>
internal sealed class Answer
{
    public int StatusCode { get; set; } = 200;

    public Dictionary<string, string> Headers { get; } = new(StringComparer.OrdinalIgnoreCase);

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

    public async Task SendAsync(HttpContext context, int? cut, TimeSpan? perByte)
    {
        var response = context.Response;
        response.StatusCode = StatusCode;
        foreach (var header in Headers) response.Headers[header.Key] = header.Value;
        if (ContentType is not null) response.ContentType = ContentType;
        var head = HttpMethods.IsHead(context.Request.Method) || StatusCode is 204 or 304;
        try
        {
            if (File is { } file)
            {
                response.ContentLength = file.Length;
                if (head) return;
                await response.SendFileAsync(file.Path, file.Offset, file.Length, context.RequestAborted);
                return;
            }

            if (StatusCode is not (204 or 304)) response.ContentLength = Body.Length;
            if (head) return;
            if (cut is { } bytes)
            {
                await response.Body.WriteAsync(Body.AsMemory(0, Math.Min(bytes, Body.Length)), context.RequestAborted);
                await response.Body.FlushAsync(context.RequestAborted);
                context.Abort();
                return;
            }

            if (perByte is { } pause)
            {
                for (var i = 0; i < Body.Length; i++)
                {
                    await response.Body.WriteAsync(Body.AsMemory(i, 1), context.RequestAborted);
                    await response.Body.FlushAsync(context.RequestAborted);
                    await Task.Delay(pause, context.RequestAborted);
                }

                return;
            }

            await response.Body.WriteAsync(Body, context.RequestAborted);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // The client has left.
        }
    }
}
