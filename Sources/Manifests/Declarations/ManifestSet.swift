/// A file as it was read, before anything is known of it.
public struct SourceFile: Sendable {
    public let path: String
    public let bytes: [UInt8]

    public init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }
}

/// Everything that the manifests of one command line declare.
public struct ManifestSet: Sendable {
    /// Sorted by name.
    public let targets: [Target]
    /// Sorted by target, then by flow.
    public let flows: [FlowDeclaration]
    /// The path of each file that was read, and the SHA-256 of its bytes in hexadecimal; sorted by path.
    public let digests: [FileDigest]

    public init(targets: [Target], flows: [FlowDeclaration], digests: [FileDigest]) {
        self.targets = targets
        self.flows = flows
        self.digests = digests
    }
}

/// A manifest file and what its bytes were.
public struct FileDigest: Hashable, Sendable {
    public let path: String
    public let sha256: String

    public init(path: String, sha256: String) {
        self.path = path
        self.sha256 = sha256
    }
}
