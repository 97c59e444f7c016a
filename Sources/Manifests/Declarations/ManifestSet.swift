import Crypto
import FlowRuns
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

    package init(path: String, bytes: [UInt8]) {
        self.init(path: path, sha256: hexadecimal(SHA256.hash(data: bytes)))
    }
}

extension ManifestSet {
    /// A warning for each time zone in which the machine's zone files and the rules built into the program cut a due window
    /// differently.
    package func zoneWarnings(dueAt asOf: Timestamp) -> [Diagnostic] {
        let series = Dictionary(grouping: flows.flatMap(\.series).filter { $0.timeZone != "UTC" }, by: \.timeZone)
        return series.sorted { $0.key < $1.key }.compactMap { zone, series -> Diagnostic? in
            guard let machine = LocalClock(zone), let folder = machine.folder, let builtIn = LocalClock(builtIn: zone),
                let end = series.map({ $0.lastEnd(dueAt: asOf) }).max(), let start = series.map(\.from).min(),
                start < end,
                !machine.agrees(with: builtIn, from: start - .seconds(86_400), to: end + .seconds(86_400))
            else { return nil }
            let differing = series.compactMap { series in
                series.disagreement(of: machine, builtIn, dueAt: asOf).map { (series.place, $0) }
            }
            guard let (place, (window, other)) = differing.first else { return nil }
            func text(_ window: Window?) -> String { window.map { "\($0.start) to \($0.end)" } ?? "no window" }
            let more = differing.count > 1 ? ", and \(differing.count - 1) more series are concerned" : ""
            return Diagnostic(
                .zoneRulesDiffer, .warning, at: place,
                "two versions of the rules of \(zone) cut different windows: \(text(window)) by the zone files in "
                    + "'\(printable(folder))' (\(ZoneDatabase.version(of: folder))), \(text(other)) by the rules built into sluice "
                    + "(\(ZoneDatabase.builtInVersion))\(more)",
                suggestion: "the zone files count; plan and apply on machines with the same tzdata")
        }
    }

    /// A warning for each of these targets that has no flow, which a command about flows gives: manifests may well stand
    /// in other files than those at hand.
    package func warningsWithoutFlows(_ targets: [Target]) -> [Diagnostic] {
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
