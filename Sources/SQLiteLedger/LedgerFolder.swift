import Foundation

/// The folder in which a ledger, or what belongs to it, is kept.
package enum LedgerFolder {
    /// Makes the folder of a file where there is none. `.sluice`, Sluice's own beside manifests that are under version
    /// control, is kept out of it as a whole.
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
