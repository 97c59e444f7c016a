import Crypto
import Text

/// A file as it was read, before anything is known of it.
package struct SourceFile: Sendable {
    package let path: String
    package let bytes: [UInt8]

    package init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }
}

/// Everything that the manifests of one command line declare.
package struct ManifestSet: Sendable {
    /// Sorted by name.
    package let targets: [Target]
    /// Sorted by target, then by the flow's title.
    package let flows: [FlowDeclaration]
    /// The path of each file that was read, and the SHA-256 of its bytes in hexadecimal; sorted by path.
    package let digests: [FileDigest]

    package init(targets: [Target], flows: [FlowDeclaration], digests: [FileDigest]) {
        self.targets = targets
        self.flows = flows
        self.digests = digests
    }
}

/// A manifest file and what its bytes were.
package struct FileDigest: Hashable, Sendable {
    package let path: String
    package let sha256: String

    package init(path: String, sha256: String) {
        self.path = path
        self.sha256 = sha256
    }

    package init(path: String, bytes: [UInt8]) {
        self.init(path: path, sha256: hexadecimal(SHA256.hash(data: bytes)))
    }
}

extension ManifestSet {
    /// A warning for each of these targets that has no flow, which a command about flows gives: manifests may well stand
    /// in other files than those at hand.
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
