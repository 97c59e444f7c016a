import Foundation
import Manifests

/// Finds and reads the manifests that a command line names.
enum ManifestFiles {
    /// - Parameter paths: files are taken whatever their name; folders are searched for `*.yaml` and `*.yml`.
    /// - Returns: the files, sorted by path, each once.
    static func read(_ paths: [String]) throws(Failure) -> [SourceFile] {
        var found: Set<String> = []
        for path in paths.isEmpty ? ["."] : paths {
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                throw Failure(.fileError, "there is no file or folder '\(path)'")
            }
            found.formUnion(isFolder.boolValue ? try manifests(in: path) : [path])
        }
        var files: [SourceFile] = []
        for path in found.sorted() {
            guard let bytes = FileManager.default.contents(atPath: path) else {
                throw Failure(.fileError, "cannot read '\(path)'")
            }
            files.append(SourceFile(path: path, bytes: Array(bytes)))
        }
        return files
    }

    private static func manifests(in folder: String) throws(Failure) -> [String] {
        guard let entries = FileManager.default.enumerator(atPath: folder) else {
            throw Failure(.fileError, "cannot read the folder '\(folder)'")
        }
        let prefix = folder == "." ? "" : folder.hasSuffix("/") ? folder : folder + "/"
        var found: [String] = []
        while let entry = entries.nextObject() as? String {
            guard !entry.split(separator: "/").contains(where: { $0.hasPrefix(".") }),
                entry.hasSuffix(".yaml") || entry.hasSuffix(".yml")
            else { continue }
            found.append(prefix + entry)
        }
        return found
    }
}
