import Text

/// A manifest file as read, before it is parsed.
package struct SourceFile: Sendable {
    package let path: String
    package let bytes: [UInt8]

    package init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }
}

/// All declarations in the manifests of one command line.
package struct ManifestSet: Sendable {
    /// The targets, sorted by name.
    package let targets: [Target]
    /// The flows, sorted by target, then by title.
    package let flows: [FlowDeclaration]
    /// The path and SHA-256 digest (hexadecimal) of each file, sorted by path.
    package let digests: [FileDigest]

    package init(targets: [Target], flows: [FlowDeclaration], digests: [FileDigest]) {
        self.targets = targets
        self.flows = flows
        self.digests = digests
    }
}

/// The path and digest of a manifest file.
package struct FileDigest: Hashable, Sendable {
    package let path: String
    package let sha256: String

    package init(path: String, sha256: String) {
        self.path = path
        self.sha256 = sha256
    }
}

extension ManifestSet {
    /// Returns a warning for each of the targets that has no flow. Not an error, because run manifests may be in files
    /// that were not passed to the command.
    package func flowless(_ targets: [Target]) -> [Diagnostic] {
        let declared = Set(flows.map(\.target))
        return targets.filter { !declared.contains($0.name) }.map { target in
            let command = "sluice flows \(shellWord(target.place.file)) --target \(target.name) --format yaml"
            return Diagnostic(
                .targetWithoutFlows, .warning, at: target.place, "no flow is declared for the target '\(target.name)'",
                suggestion:
                    "declare them in a document with 'kind: RunManifest' and 'target: \(target.name)', or begin "
                    + "with what the sandbox has: \(command)")
        }
    }
}
