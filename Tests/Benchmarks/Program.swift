import Foundation

/// A program whose output is discarded.
struct Program {
    private let url: URL
    private let arguments: [String]
    /// Variables that are added to the environment.
    var environment: [String: String] = [:]

    /// Finds a program in `PATH`.
    init(_ name: String, _ arguments: String...) {
        url = URL(fileURLWithPath: "/usr/bin/env")
        self.arguments = [name] + arguments
    }

    /// Finds a program in the folder of this one.
    init(beside name: String, _ arguments: String...) { self.init(beside: name, arguments: arguments) }

    init(beside name: String, arguments: [String]) {
        let own = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        url = own.deletingLastPathComponent().appending(path: name)
        self.arguments = arguments
    }

    func run() throws {
        let process = Process()
        process.executableURL = url
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Floor.Failure() }
    }
}
