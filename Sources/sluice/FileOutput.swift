import Foundation

/// Files that a command is asked to write.
enum FileOutput {
    /// Writes all of it or nothing: a reader never sees half a plan.
    static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        try makeFolder(for: path)
        do { try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
            throw Failure(.fileError, "cannot write '\(path)': \(error.localizedDescription)")
        }
    }

    static func makeFolder(for path: String) throws(Failure) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
            throw Failure(.fileError, "cannot make the folder '\(folder.path)': \(error.localizedDescription)")
        }
    }
}
