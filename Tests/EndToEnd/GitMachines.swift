import Foundation
import TestSupport

/// A simulator and machines, each with its own home, cache and clone of one repository, which contains the manifests
/// and their ledger.
struct GitMachines {
    let repository: GitRepository
    let simulator: SimulatorProcess
    private let first: Program
    private let manifests: [String: String]

    /// Creates the repository and starts the simulator.
    ///
    /// - Parameter manifests: The files in the repository, in which `SERVICE` is replaced by the simulator's address.
    init(_ manifests: [String: String], servedBy server: (any GitServer)? = nil) async throws {
        repository = try GitRepository(servedBy: server)
        first = try Program()
        for (name, text) in manifests {
            try first.write(text.replacingOccurrences(of: "SERVICE", with: "http://127.0.0.1:1"), to: name)
        }
        simulator = try await SimulatorProcess(first, ["."], isKnown: false)
        let address = simulator.address
        self.manifests = manifests.mapValues { $0.replacingOccurrences(of: "SERVICE", with: address) }
        try commit(branch: "main", "Add manifests") { folder in
            for (name, text) in self.manifests {
                let file = URL(fileURLWithPath: folder).appending(path: name)
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                if text.hasPrefix("#!") {
                    try writeProgram(text, to: file.path)
                } else {
                    try Data(text.utf8).write(to: file)
                }
            }
        }
    }

    /// Pushes a commit to a branch, from a temporary clone.
    func commit(branch: String, from base: String? = nil, _ message: String, _ change: (String) throws -> Void) throws {
        let clone = "\(repository.home)/clone-\(UUID().uuidString)"
        func git(_ arguments: String...) throws {
            let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
            try runProgram("git", identity + arguments, repository.environment, in: clone)
        }
        try runProgram("git", ["clone", "--quiet", repository.address, clone], repository.environment)
        if let base { try git("checkout", "--quiet", "-b", branch, "origin/\(base)") }
        try change(clone)
        try git("add", "-A")
        try git("commit", "--quiet", "-m", message)
        try git("push", "--quiet", "origin", "HEAD:\(branch)")
        try FileManager.default.removeItem(atPath: clone)
    }

    /// Creates a machine without previous contact with the ledger, in a fresh clone of a branch.
    func machine(branch: String = "main", _ environment: [String: String] = [:]) throws -> Program {
        let home = try Program()
        let variables = home.environment.merging(repository.environment) { $1 }.merging(["HOME": home.folder.path]) {
            $1
        }
        try runProgram(
            "git", ["clone", "--quiet", "--branch", branch, repository.address, home.path("clone").path], variables)
        var machine = home.inFolder("clone")
        let credentials = ["SLUICE_ACCESS_TOKEN": "token", "SLUICE_API_KEY": "key"]
        machine.environment = variables.merging(credentials) { $1 }.merging(environment) { $1 }
        return machine
    }

    func end() async throws {
        try await simulator.stop()
        first.remove()
    }
}
