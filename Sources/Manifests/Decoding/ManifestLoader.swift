import Crypto
import FlowRuns
import Text
import YAML

/// A loader that decodes manifest files into declarations and diagnostics.
///
/// ```swift
/// let (manifests, diagnostics) = ManifestLoader().load(files)
/// if diagnostics.hasErrors { print(diagnostics.map(\.message).joined(separator: "\n")) }
/// ```
package struct ManifestLoader: Sendable {
    private let reader: YAMLReader

    /// - Parameter limits: the resource limits for reading one file.
    package init(limits: ReadingLimits = ReadingLimits()) { reader = YAMLReader(limits: limits) }

    /// Reads all files and checks every rule within and across them. Returns the errors of all files at once, sorted by
    /// position, together with everything that could be decoded. A set with errors must not be planned.
    ///
    /// - Parameter files: the files in any order, which does not affect the result. A file that is given twice counts
    ///   once.
    package func load(_ files: [SourceFile]) -> (manifests: ManifestSet, diagnostics: [Diagnostic]) {
        var digests: Set<FileDigest> = []
        var targets: [Target] = []
        var manifests: [RunManifest] = []
        var diagnostics: [Diagnostic] = []
        var hasUnreadTargets = false
        for file in files {
            guard
                digests.insert(FileDigest(path: file.path, bytes: file.bytes)).inserted
            else {
                continue
            }
            var decoder = ManifestDecoder(file: file.path)
            decoder.read(file.bytes, reader)
            targets += decoder.targets
            manifests += decoder.manifests
            diagnostics += decoder.diagnostics
            hasUnreadTargets = hasUnreadTargets || decoder.hasUnreadTargets
        }
        diagnostics +=
            ManifestRules(targets: targets, manifests: manifests, hasUnreadTargets: hasUnreadTargets).diagnostics
        let replacements = ReplacementRules(manifests.flatMap(\.flows))
        diagnostics += replacements.diagnostics
        let order = OrderRules(replacements.flows)
        diagnostics += order.diagnostics
        let set = ManifestSet(
            targets: targets.sorted { ($0.name, $0.place) < ($1.name, $1.place) },
            flows: order.flows.sorted {
                ($0.target, $0.title, $0.id, $0.place) < ($1.target, $1.title, $1.id, $1.place)
            },
            digests: digests.sorted { ($0.path, $0.sha256) < ($1.path, $1.sha256) })
        return (set, diagnostics.sortedByPlace())
    }
}
