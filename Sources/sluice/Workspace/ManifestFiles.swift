import Foundation
import Manifests
import Reports
import Text

/// Finds and reads the manifests that a command line names.
enum ManifestFiles {
    /// - Parameter paths: files are taken whatever their name; folders are searched for `*.yaml` and `*.yml`.
    /// - Returns: the files, sorted by path, each once.
    /// - Throws: with status 74 for a file, folder or link that cannot be read, with 65 where there is no manifest.
    static func read(_ paths: [String]) throws(Failure) -> [SourceFile] {
        var search = ManifestSearch()
        for path in paths.isEmpty ? ["."] : paths { try search.add(path) }
        try search.followLinks()
        var files: [SourceFile] = []
        for path in search.files.sorted() {
            // A pipe, too, such as `<(flows.sh)` in a shell.
            guard let file = FileHandle(forReadingAtPath: path) else { throw .cannot("read", path) }
            defer { try? file.close() }
            do { files.append(SourceFile(path: path, bytes: Array(try file.readToEnd() ?? Data()))) } catch {
                throw .cannot("read", path)
            }
        }
        guard !files.isEmpty else {
            let places = paths.isEmpty ? "the current folder" : paths.map { "'\(printable($0))'" }.listed
            throw Failure(
                .invalid,
                "there is no manifest in \(places): name the files or folders that have them (*.yaml, *.yml), or write "
                    + "the first ones with 'sluice init'")
        }
        return files
    }
}
