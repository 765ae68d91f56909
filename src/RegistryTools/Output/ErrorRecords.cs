using System.Management.Automation;
using RegistryTools.Errors;
using RegistryTools.Inspection;
using RegistryTools.References;
using RegistryTools.Retention;

namespace RegistryTools.PowerShell.Output;

/// <summary>The one place where error records are made. The ids are stable: scripts depend on them.</summary>
internal static class ErrorRecords
{
    public const string NotConnected = nameof(NotConnected);
    public const string ConnectionClosed = nameof(ConnectionClosed);
    public const string ConnectionNotFound = nameof(ConnectionNotFound);
    public const string UnencryptedAuthentication = nameof(UnencryptedAuthentication);
    public const string InvalidReference = nameof(InvalidReference);
    public const string InvalidArgument = nameof(InvalidArgument);
    public const string RegistryUnauthorized = nameof(RegistryUnauthorized);
    public const string RegistryDenied = nameof(RegistryDenied);
    public const string RepositoryNotFound = nameof(RepositoryNotFound);
    public const string TagNotFound = nameof(TagNotFound);
    public const string ManifestNotFound = nameof(ManifestNotFound);
    public const string BlobNotFound = nameof(BlobNotFound);
    public const string PlatformNotFound = nameof(PlatformNotFound);
    public const string NotAnImage = nameof(NotAnImage);
    public const string RegistryUnsupported = nameof(RegistryUnsupported);
    public const string DeletionDisabled = nameof(DeletionDisabled);
    public const string RegistryUnreachable = nameof(RegistryUnreachable);
    public const string RegistryBusy = nameof(RegistryBusy);
    public const string RegistryTimeout = nameof(RegistryTimeout);
    public const string RegistryRequestFailed = nameof(RegistryRequestFailed);
    public const string RegistryProtocolError = nameof(RegistryProtocolError);
    public const string DigestMismatch = nameof(DigestMismatch);
    public const string ManifestInvalid = nameof(ManifestInvalid);
    public const string TagMoved = nameof(TagMoved);
    public const string TagDeletionUnsupported = nameof(TagDeletionUnsupported);
    public const string RemovalFailed = nameof(RemovalFailed);
    public const string RestoreFailed = nameof(RestoreFailed);
    public const string ManifestInUse = nameof(ManifestInUse);
    public const string StorageNotFound = nameof(StorageNotFound);
    public const string JournalFailed = nameof(JournalFailed);
    public const string GarbageKept = nameof(GarbageKept);
    public const string GarbageFailed = nameof(GarbageFailed);
    public const string StorageDamaged = nameof(StorageDamaged);
    public const string RepairFailed = nameof(RepairFailed);
    public const string RegistryDown = nameof(RegistryDown);
    public const string CertificateInvalid = nameof(CertificateInvalid);
    public const string CertificateNotTrusted = nameof(CertificateNotTrusted);
    public const string TlsFailed = nameof(TlsFailed);
    public const string ProxyFailed = nameof(ProxyFailed);
    public const string CredentialUnavailable = nameof(CredentialUnavailable);
    public const string CredentialStoreMissing = nameof(CredentialStoreMissing);
    public const string ContainerNotFound = nameof(ContainerNotFound);
    public const string RuntimeUnavailable = nameof(RuntimeUnavailable);
    public const string CollectorFailed = nameof(CollectorFailed);
    public const string CollectorUnsafe = nameof(CollectorUnsafe);
    public const string RegistryNotResumed = nameof(RegistryNotResumed);
    public const string PolicyNotFound = nameof(PolicyNotFound);
    public const string PolicyInvalid = nameof(PolicyInvalid);
    public const string RetentionInvalid = nameof(RetentionInvalid);
    public const string RetentionLimit = nameof(RetentionLimit);
    public const string DriveNotFound = nameof(DriveNotFound);
    public const string PathAmbiguous = nameof(PathAmbiguous);
    public const string OperationFailed = nameof(OperationFailed);

    private static readonly bool ShowsRecommendedAction = typeof(PSObject).Assembly.GetName().Version >= new Version(7, 5);

    /// <summary>The record of something that the core or the system threw. An id, a category and a remedy given here go before the exception's own.</summary>
    public static ErrorRecord From(Exception error, ErrorSubject subject, string? id = null, ErrorCategory? category = null, string? remedy = null)
    {
        var (ownId, ownCategory) = Classify(error, subject);
        var request = error as RegistryRequestException ?? error.InnerException as RegistryRequestException;
        return Make(
            id ?? ownId,
            category ?? ownCategory,
            error is RegistryNotFoundException missing ? Absence(missing, ownId, subject) ?? error.Message : error.Message,
            remedy ?? (error as RegistryToolsException)?.Remedy,
            subject,
            error,
            request?.Method,
            request?.Uri,
            request?.StatusCode,
            request?.Errors.Select(entry => entry.Code).Where(code => code.Length > 0).ToArray());
    }

    /// <summary>The record of something that a cmdlet found by itself.</summary>
    public static ErrorRecord Create(string id, ErrorCategory category, string message, string? remedy, ErrorSubject subject, Exception? cause = null) =>
        Make(id, category, message, remedy, subject, cause, null, null, null, null);

    private static ErrorRecord Make(
        string id, ErrorCategory category, string message, string? remedy, ErrorSubject subject, Exception? cause, string? method, Uri? uri, int? status, string[]? codes)
    {
        var text = string.IsNullOrEmpty(remedy) ? message : Sentence(message) + " " + remedy;
        var exception = new RegistryCmdletException(text, cause)
        {
            Registry = subject.Registry,
            Repository = subject.Repository,
            Reference = subject.Reference,
            Method = method,
            Uri = uri,
            StatusCode = status,
            Codes = codes ?? [],
            Remedy = remedy,
        };
        // Where the engine shows the recommended action below the message, it is not in the message as well.
        return exception.Record = new ErrorRecord(exception, id, category, subject.Target) { ErrorDetails = new ErrorDetails(ShowsRecommendedAction ? message : text) { RecommendedAction = remedy ?? string.Empty } };
    }

    private static string Sentence(string message) => message.Length > 0 && message[message.Length - 1] is '.' or '!' or '?' ? message : message + ".";

    private static (string Id, ErrorCategory Category) Classify(Exception error, ErrorSubject subject) => error switch
    {
        TagMovedException => (TagMoved, ErrorCategory.InvalidOperation),
        TagNotFoundException => (TagNotFound, ErrorCategory.ObjectNotFound),
        DeletionDisabledException => (DeletionDisabled, ErrorCategory.NotEnabled),
        TagDeletionUnsupportedException => (TagDeletionUnsupported, ErrorCategory.NotImplemented),
        PlatformNotFoundException => (PlatformNotFound, ErrorCategory.ObjectNotFound),
        NotAnImageException => (NotAnImage, ErrorCategory.InvalidType),
        RemovalFailedException => (RemovalFailed, ErrorCategory.OperationStopped),
        RestoreFailedException => (RestoreFailed, ErrorCategory.InvalidOperation),
        ManifestInUseException => (ManifestInUse, ErrorCategory.ResourceBusy),
        StorageNotFoundException => (StorageNotFound, ErrorCategory.ObjectNotFound),
        GarbageException => (GarbageFailed, ErrorCategory.InvalidOperation),
        RetentionLimitException => (RetentionLimit, ErrorCategory.LimitsExceeded),
        RetentionPolicyException => (PolicyInvalid, ErrorCategory.InvalidData),
        RetentionException => (RetentionInvalid, ErrorCategory.InvalidArgument),
        RegistryContainerNotFoundException => (ContainerNotFound, ErrorCategory.ObjectNotFound),
        RegistryRuntimeException => (RuntimeUnavailable, ErrorCategory.ConnectionError),
        CollectorUnsafeException => (CollectorUnsafe, ErrorCategory.InvalidOperation),
        CollectorFailedException => (CollectorFailed, ErrorCategory.InvalidResult),
        RegistryNotResumedException => (RegistryNotResumed, ErrorCategory.ResourceUnavailable),
        JournalException => (JournalFailed, ErrorCategory.WriteError),
        CredentialStoreMissingException => (CredentialStoreMissing, ErrorCategory.NotInstalled),
        CredentialException => (CredentialUnavailable, ErrorCategory.AuthenticationError),
        RegistryUnauthorizedException => (RegistryUnauthorized, ErrorCategory.AuthenticationError),
        RegistryDeniedException => (RegistryDenied, ErrorCategory.PermissionDenied),
        RegistryNotFoundException missing => (Missing(missing, subject), ErrorCategory.ObjectNotFound),
        RegistryUnsupportedException { Method: "DELETE" } => (DeletionDisabled, ErrorCategory.NotEnabled),
        RegistryUnsupportedException => (RegistryUnsupported, ErrorCategory.NotImplemented),
        RegistryDownException => (RegistryDown, ErrorCategory.ConnectionError),
        RegistryTlsException { Failure: TlsFailure.UntrustedIssuer or TlsFailure.NameMismatch or TlsFailure.Expired or TlsFailure.BadCertificate } => (CertificateNotTrusted, ErrorCategory.SecurityError),
        RegistryTlsException => (TlsFailed, ErrorCategory.SecurityError),
        RegistryProxyException => (ProxyFailed, ErrorCategory.ConnectionError),
        CertificateFileException => (CertificateInvalid, ErrorCategory.InvalidData),
        RegistryUnreachableException => (RegistryUnreachable, ErrorCategory.ConnectionError),
        RegistryProtocolException => (RegistryProtocolError, ErrorCategory.ProtocolError),
        RegistryRequestException { StatusCode: 429 or 503 } => (RegistryBusy, ErrorCategory.ResourceBusy),
        RegistryRequestException { StatusCode: >= 500 } => (RegistryRequestFailed, ErrorCategory.ResourceUnavailable),
        RegistryRequestException => (RegistryRequestFailed, ErrorCategory.InvalidResult),
        DigestMismatchException => (DigestMismatch, ErrorCategory.InvalidData),
        ManifestFormatException => (ManifestInvalid, ErrorCategory.InvalidData),
        ReferenceFormatException => (InvalidReference, ErrorCategory.InvalidArgument),
        TimeoutException or OperationCanceledException => (RegistryTimeout, ErrorCategory.OperationTimeout),
        System.Net.Http.HttpRequestException or System.Net.Sockets.SocketException => (RegistryUnreachable, ErrorCategory.ConnectionError),
        UnauthorizedAccessException => (OperationFailed, ErrorCategory.PermissionDenied),
        IOException => (OperationFailed, ErrorCategory.WriteError),
        NotSupportedException => (RegistryUnsupported, ErrorCategory.NotImplemented),
        _ => (OperationFailed, ErrorCategory.NotSpecified),
    };

    // What is missing may be what was asked for, or a part of it: an index's manifest, a manifest's configuration. The request tells.
    private static string Missing(RegistryNotFoundException error, ErrorSubject subject)
    {
        var path = Uri.UnescapeDataString(error.Uri.AbsolutePath);
        if (path.IndexOf("/blobs/", StringComparison.Ordinal) >= 0 || error.HasCode("BLOB_UNKNOWN")) return BlobNotFound;
        if (error.HasCode("NAME_UNKNOWN") || subject.Reference is null) return RepositoryNotFound;
        return !Digest.TryParse(subject.Reference, out _) && path.EndsWith("/" + subject.Reference, StringComparison.Ordinal) ? TagNotFound : ManifestNotFound;
    }

    private static string? Absence(RegistryNotFoundException error, string id, ErrorSubject subject) => id switch
    {
        RepositoryNotFound when subject.Repository is not null => $"There is no repository '{subject.Repository}' on {subject.Registry}.",
        TagNotFound when subject.Repository is not null => $"There is no tag '{subject.Reference}' in '{subject.Repository}' on {subject.Registry}.",
        ManifestNotFound when subject.Reference is not null && error.Uri.AbsoluteUri.EndsWith(subject.Reference, StringComparison.Ordinal) => $"There is no manifest {subject.Reference} in '{subject.Repository}' on {subject.Registry}.",
        _ => null,
    };
}
