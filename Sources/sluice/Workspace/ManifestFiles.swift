import Foundation
import Manifests
import Reports
import Text

/// The files that a command line names, read once: standard input and pipes cannot be read again.
struct ManifestFiles {
    /// Sorted by path, each once.
    let sources: [SourceFile]
    /// Warnings about entries of folders that were skipped.
    let warnings: [Diagnostic]

    /// A saved plan among the files, by content.
    var savedPlan: SourceFile? { sources.first(where: \.isSavedPlan) }

    /// - Parameter paths: files of any name; `-`, which is standard input; folders, which are searched for `*.yaml` and
    ///   `*.yml`.
    /// - Throws: with status 74 for a file or folder that cannot be read, with 65 where there is no manifest.
    static func read(_ paths: [String]) throws(Failure) -> ManifestFiles {
        var search = ManifestSearch()
        for path in paths.isEmpty ? ["."] : paths { try search.add(path) }
        try search.followLinks()
        var files: [SourceFile] = []
        for path in search.files.sorted() {
            // Also a pipe, such as `<(flows.sh)` in a shell.
            let file = path == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: path)
            guard let file else { throw .cannot("read", path) }
            defer { if path != "-" { try? file.close() } }
            do { files.append(SourceFile(path: path, bytes: Array(try file.readToEnd() ?? Data()))) } catch {
                throw .cannot("read", path)
            }
        }
        guard !files.isEmpty else {
            let places = paths.isEmpty ? "the current folder" : paths.map { "'\(printable($0))'" }.listed
            let reasons = search.warnings.map { "- \($0.message)" }
            throw Failure(
                .invalid,
                "there is no manifest in \(places): name the files or folders that have them (*.yaml, *.yml), or write "
                    + "the first ones with 'sluice init'", details: reasons)
        }
        return ManifestFiles(sources: files, warnings: search.warnings)
    }

    /// Reads the manifests, and diagnoses also the entries of folders that were skipped.
    ///
    /// - Throws: with status 64 where a file is a saved plan.
    func load() throws(Failure) -> (manifests: ManifestSet, diagnostics: [Diagnostic]) {
        if let savedPlan {
            let path = printable(savedPlan.path)
            throw Failure(
                .usage,
                "'\(path)' is a saved plan, and this command reads manifests; apply it alone: "
                    + "sluice apply \(shellWord(savedPlan.path))")
        }
        let (manifests, diagnostics) = ManifestLoader().load(sources)
        return (manifests, (warnings + diagnostics).sortedByPlace())
    }
}
