import Foundation

/// Files that a command is asked to write.
enum FileOutput {
    /// Writes all of it or nothing: a reader never sees half a plan. A link is followed; what is no file (a pipe, a
    /// device) is written to as it is; `-` is standard output.
    static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        guard path != "-" else { return Console.output(bytes) }
        try makeFolder(for: path)
        let file = URL(fileURLWithPath: path).resolvingSymlinksInPath()
        var information = stat()
        let isThere = stat(file.path, &information) == 0
        let isFile = information.st_mode & S_IFMT == S_IFREG
        do {
            if isThere, information.st_mode & S_IFMT == S_IFDIR { throw Failure(.fileError, "it is a folder") }
            if isThere, !isFile {
                let handle = try FileHandle(forWritingTo: file)
                try handle.write(contentsOf: Data(bytes))
                try handle.close()
            } else {
                try Data(bytes).write(to: file, options: .atomic)
            }
        } catch let failure as Failure {
            throw Failure(.fileError, "cannot write '\(path)': \(failure.message)")
        } catch {
            throw Failure(.fileError, "cannot write '\(path)': \(error.localizedDescription)")
        }
    }

    static func makeFolder(for path: String) throws(Failure) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
            throw Failure(.fileError, "cannot create the folder '\(folder.path)': \(error.localizedDescription)")
        }
    }
}
