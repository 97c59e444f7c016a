import Foundation

/// A bare repository in a temporary folder, which is removed at the end, with the environment of a client.
package final class GitRepository: Sendable {
    /// The path of the repository.
    package let path: String
    /// The address that clients use.
    package let address: String
    /// The home folder of a client.
    package let home: String
    /// The environment of a client, without the machine's own configuration.
    package let environment: [String: String]
    private let folder: String

    /// Creates a repository.
    ///
    /// - Parameter server: The server for clients; if `nil`, they use the repository's path.
    package init(servedBy server: (any GitServer)? = nil) throws {
        let name = UUID().uuidString
        folder = (server?.root ?? temporaryFolder) + "/git-\(name)"
        path = folder + "/ledger.git"
        home = folder + "/home"
        address = server?.address(of: "git-\(name)/ledger.git") ?? path
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        environment = Self.variables(home).merging(server?.environment ?? [:]) { $1 }
        try runProgram("git", ["init", "--quiet", "--bare", "--template=", "-b", "main", path], environment)
        try FileManager.default.createDirectory(atPath: path + "/hooks", withIntermediateDirectories: true)
        try git("config", "http.receivepack", "true")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Returns the environment of a client with another home, as on another machine.
    package static func variables(_ home: String) -> [String: String] {
        [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": home,
            "GIT_CONFIG_NOSYSTEM": "1", "TMPDIR": NSTemporaryDirectory(),
        ]
    }

    @discardableResult
    package func git(_ arguments: String...) throws -> String {
        try runProgram("git", ["--git-dir=\(path)"] + arguments, environment)
    }

    /// Sets a hook of the server: `pre-receive`, `update` or `post-receive`.
    package func setHook(_ name: String, _ script: String?) throws {
        let file = "\(path)/hooks/\(name)"
        guard let script else { return try FileManager.default.removeItem(atPath: file) }
        try writeProgram("#!/bin/sh\n\(script)\n", to: file)
    }
}

/// The path of the folder for temporary files, without a trailing slash.
let temporaryFolder = FileManager.default.temporaryDirectory.standardizedFileURL.path

/// An error of a program.
package struct ProgramFailure: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

/// Runs a program to its end, and returns its output.
@discardableResult
package func runProgram(
    _ name: String, _ arguments: [String], _ environment: [String: String], in folder: String? = nil
) throws -> String {
    let variables = environment.map { "\($0.key)=\($0.value)" }
    let words = ["env", "-i"] + variables + [name] + arguments
    let command = words.map(shellQuoted).joined(separator: " ") + " < /dev/null 2>&1"
    guard let pipe = popen((folder.map { "cd \(shellQuoted($0)) && " } ?? "") + command, "re") else {
        throw ProgramFailure(description: "\(name) does not start")
    }
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = fread(&buffer, 1, buffer.count, pipe)
        guard count > 0 else { break }
        output += buffer.prefix(count)
    }
    let text = String(decoding: output, as: UTF8.self)
    guard pclose(pipe) == 0 else {
        throw ProgramFailure(description: "\(name) \(arguments.joined(separator: " ")): \(text)")
    }
    return text
}

/// Writes an executable file, in a process of its own: a child that is forked while this process writes the file has it open,
/// too, and the system refuses to run a file that is open for writing (`ETXTBSY`).
package func writeProgram(_ text: String, to path: String) throws {
    let script = "printf %s \"$1\" > \"$0\" && chmod 755 \"$0\""
    _ = try runProgram("sh", ["-c", script, path, text], ["PATH": "/usr/bin:/bin"])
}

func shellQuoted(_ word: String) -> String { "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'" }
