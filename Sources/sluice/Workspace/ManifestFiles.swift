import Foundation
import Manifests
import Reports
import Text

/// Finds and reads the manifests named on the command line.
enum ManifestFiles {
    /// Reads manifests.
    ///
    /// - Parameter paths: Files, which may have any name, and folders, which are searched for `*.yaml` and `*.yml`.
    /// - Returns: The files, sorted by path and without duplicates.
    /// - Throws: ``Failure`` with status 74 if a file, folder or link cannot be read, or with status 65 if there is no
    ///   manifest.
    static func read(_ paths: [String]) throws(Failure) -> [SourceFile] {
        var search = ManifestSearch()
        for path in paths.isEmpty ? ["."] : paths { try search.add(path) }
        try search.followLinks()
        var files: [SourceFile] = []
        for path in search.files.sorted() {
            // `FileHandle` can also read pipes, such as `<(flows.sh)` in a shell.
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
