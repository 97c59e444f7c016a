import Foundation
import TestSupport

/// The built `sluice`, run like a user runs it.
struct Program {
    struct Result {
        let status: Int32
        let output: String
        let errors: String
    }

    /// The working folder of every run, a temporary folder of this test.
    let folder: URL
    var environment: [String: String] = [:]

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "sluice-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// Creates a working folder with a copy of an example. Only the manifests are copied, because the example in the
    /// checkout may have a ledger.
    init(example: String) throws {
        try self.init()
        let source = Self.checkout.appending(path: "manifests/\(example)")
        for file in try FileManager.default.contentsOfDirectory(atPath: source.path) where file.hasSuffix(".yaml") {
            try write(String(contentsOf: source.appending(path: file), encoding: .utf8), to: "\(example)/\(file)")
        }
    }

    private init(folder: URL, environment: [String: String]) {
        self.folder = folder
        self.environment = environment
    }

    /// Returns the same user in a subfolder.
    func inFolder(_ name: String) -> Program { Program(folder: path(name), environment: environment) }

    /// The program, which the package manager builds next to the test bundle.
    static let binary = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "sluice")

    /// The root of this package's checkout.
    static let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    func path(_ name: String) -> URL { folder.appending(path: name) }

    func write(_ text: String, to name: String) throws {
        let file = path(name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    func read(_ name: String) throws -> String { try String(contentsOf: path(name), encoding: .utf8) }

    /// Runs the program to its end.
    @discardableResult
    func run(_ arguments: String..., input: String? = nil) async throws -> Result {
        try await start(arguments, input: input).end()
    }

    @discardableResult
    func run(_ arguments: [String]) async throws -> Result { try await start(arguments).end() }

    /// Starts the program without waiting for its end.
    func start(_ arguments: [String], input: String? = nil) throws -> RunningProgram {
        try RunningProgram(Self.binary, arguments, in: folder, environment: environment, input: input)
    }

    /// Starts a Python script as parent process, with the program's path and these arguments as its own arguments.
    func start(_ arguments: [String], below parent: String) throws -> RunningProgram {
        try RunningProgram(
            URL(fileURLWithPath: "/usr/bin/python3"), ["-c", parent, Self.binary.path] + arguments, in: folder,
            environment: environment, input: nil)
    }

    /// Runs a shell script, in which `$0` is the program.
    ///
    /// - Parameter asOther: as an ordinary user, who owns the folder, where the tests run as root.
    func shell(_ script: String, asOther: Bool = false) async throws -> Result {
        var words = ["bash", "-c", script, Self.binary.path]
        if asOther, getuid() == 0 {
            try runProgram("chown", ["-R", "65534:65534", folder.path], ["PATH": "/usr/bin:/bin"])
            words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] + words
        }
        return try await RunningProgram(
            URL(filePath: "/usr/bin/env"), words, in: folder, environment: environment, input: nil
        ).end()
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }
}

/// A running process, whose output is written to files so that it never waits for a reader.
final class RunningProgram: Sendable {
    private let ended: Task<Int32, Never>
    private let output: URL
    private let errors: URL
    let processID: Int32
    /// The environment variables of sanitizers, such as `ASAN_OPTIONS`.
    static let sanitizerOptions = ProcessInfo.processInfo.environment.filter {
        $0.key.hasSuffix("SAN_OPTIONS")
    }

    init(_ binary: URL, _ arguments: [String], in folder: URL, environment: [String: String], input: String?) throws {
        let name = UUID().uuidString
        output = folder.appending(path: ".\(name).out")
        errors = folder.appending(path: ".\(name).err")
        for file in [output, errors] { try Data().write(to: file) }
        let process = Process()
        process.executableURL = binary
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = Self.sanitizerOptions
            .merging(["PATH": "/usr/bin:/bin", "HOME": folder.path]) { $1 }.merging(environment) { $1 }
        let handles = [try FileHandle(forWritingTo: output), try FileHandle(forWritingTo: errors)]
        process.standardOutput = handles[0]
        process.standardError = handles[1]
        if let input {
            let file = folder.appending(path: ".\(name).in")
            try Data(input.utf8).write(to: file)
            process.standardInput = try FileHandle(forReadingFrom: file)
        } else {
            process.standardInput = FileHandle.nullDevice
        }
        let (stream, continuation) = AsyncStream<Int32>.makeStream()
        process.terminationHandler = { process in
            continuation.yield(
                process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus)
            continuation.finish()
        }
        try process.run()
        // Foundation would keep the files open, and reads beyond its list of descriptors if there are too many.
        for handle in handles { try handle.close() }
        processID = process.processIdentifier
        ended = Task {
            for await status in stream { return status }
            return -1
        }
    }

    /// Waits for the end. A negative status is the number of the signal that ended the process.
    func end() async throws -> Program.Result {
        let status = await ended.value
        return Program.Result(
            status: status, output: try String(contentsOf: output, encoding: .utf8),
            errors: try String(contentsOf: errors, encoding: .utf8))
    }

    func signal(_ number: Int32) { kill(processID, number) }

    var isRunning: Bool { kill(processID, 0) == 0 }

    /// Waits until the process has printed a text on standard error.
    func waitForErrors(_ words: String) async throws { try await wait { errorsSoFar.contains(words) } }

    /// Waits for a condition.
    ///
    /// - Throws: ``Ended`` if the process ends first.
    func wait(until isSo: () -> Bool) async throws {
        try await TestSupport.wait(for: "what a process prints") {
            let isRunning = isRunning
            if isSo() { return true }
            guard isRunning else { throw Ended(errors: errorsSoFar) }
            return false
        }
    }

    struct Ended: Error { let errors: String }

    /// The standard output so far.
    var outputSoFar: String { (try? String(contentsOf: output, encoding: .utf8)) ?? "" }
    var errorsSoFar: String { (try? String(contentsOf: errors, encoding: .utf8)) ?? "" }
}
