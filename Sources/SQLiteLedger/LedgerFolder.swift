import Foundation

/// The folder that contains a ledger and its related files.
package enum LedgerFolder {
    /// Creates the folder of a file if it is missing.
    ///
    /// A new `.sluice` folder, which usually lies next to versioned manifests, gets a `.gitignore` that excludes all of
    /// its contents.
    ///
    /// - Throws: An error of Foundation if the folder cannot be created.
    package static func create(for path: String) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        let isNew = !FileManager.default.fileExists(atPath: folder.path)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        guard isNew, folder.lastPathComponent == ".sluice" else { return }
        try? Data("*\n".utf8).write(to: folder.appending(path: ".gitignore"))
    }

    /// The system's reason why a folder cannot be made: `Permission denied`. Foundation's own speak of an operation that
    /// could not be completed.
    package static func failure(of folder: String) -> String {
        var folder = folder
        // The reason is that of the first one which is missing.
        while mkdir(folder, 0o777) != 0, errno == ENOENT, folder.utf8.count > 1 {
            folder = (folder as NSString).deletingLastPathComponent
        }
        return String(cString: strerror(errno))
    }
}
