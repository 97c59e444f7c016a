import Foundation
import Text

/// Refuses paths that are not UTF-8: Swift strings cannot hold them, and what they would be repaired to is another path.
enum PathEncoding {
    /// Checks the arguments, the working folder and the folders of the environment that the command uses.
    static func check(_ command: String?) throws(Failure) {
        for index in 1..<max(1, Int(CommandLine.argc)) {
            guard let argument = rawPath(CommandLine.unsafeArgv[index]), argument.text == nil else { continue }
            throw Failure(
                .usage,
                "the argument '\(printable(argument.shown))' is not UTF-8: rename what it names")
        }
        guard let command, !command.hasPrefix("-"), !["help", "schema", "version"].contains(command) else { return }
        let folder = getcwd(nil, 0)
        defer { free(folder) }
        if let folder = rawPath(folder), folder.text == nil {
            throw Failure(
                .configuration,
                "the path of the working folder, '\(printable(folder.shown))', is not UTF-8: work in another folder")
        }
        guard !["simulate", "validate"].contains(command) else { return }
        let names = ["XDG_STATE_HOME", "XDG_CACHE_HOME"]
        try check(names.allSatisfy { getenv($0)?.pointee == CChar(UInt8(ascii: "/")) } ? names : names + ["HOME"])
    }

    private static func check(_ variables: [String]) throws(Failure) {
        for name in variables {
            guard let path = rawPath(getenv(name)), path.text == nil else { continue }
            let hint =
                name == "HOME"
                ? "set XDG_STATE_HOME and XDG_CACHE_HOME to folders with other names" : "set another folder"
            throw Failure(.configuration, "\(name) is '\(printable(path.shown))', which is not UTF-8: \(hint)")
        }
    }

    private static func rawPath(_ text: UnsafePointer<CChar>?) -> RawPath? {
        text.map { RawPath(UnsafeBufferPointer(start: $0, count: strlen($0)).map(UInt8.init(bitPattern:))) }
    }
}
