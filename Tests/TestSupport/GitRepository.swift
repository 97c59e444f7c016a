import Foundation

/// A bare repository in a folder of its own, removed at the end, and what a client needs to reach it.
package final class GitRepository: Sendable {
    /// Of the repository itself.
    package let path: String
    /// As a client names it.
    package let address: String
    /// A client's home.
    package let home: String
    /// A client's variables: nothing of the machine's own configuration.
    package let environment: [String: String]
    private let folder: String

    /// - Parameter server: by which clients reach it; otherwise by its path.
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

    /// Those of a client with another home: another machine.
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

    /// Has the server run a script at one point of a push: `pre-receive`, `update`, `post-receive`.
    package func setHook(_ name: String, _ script: String?) throws {
        let file = "\(path)/hooks/\(name)"
        guard let script else { return try FileManager.default.removeItem(atPath: file) }
        try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
    }
}

/// Without a slash at its end.
let temporaryFolder = FileManager.default.temporaryDirectory.standardizedFileURL.path

/// A program that ended with an error.
package struct ProgramFailure: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

/// Runs a program to its end, and gives what it has printed.
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

func shellQuoted(_ word: String) -> String { "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'" }
