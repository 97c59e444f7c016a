import FlowRuns
import Foundation
import GitLedger
import Ledger
import Synchronization
import TestSupport

/// A ledger in a repository of its own, used by one machine or several.
final class GitFixture: Sendable {
    static let target = "https://platform.adobe.io/data/foundation/flowservice 1234@AdobeOrg prod"
    static let flow = FlowID("00000000-0000-4000-8000-000000000001")!
    static let now = Timestamp(milliseconds: 1_700_000_000_000)

    let repository: GitRepository
    private let noticed = Mutex<[String]>([])

    init(servedBy server: (any GitServer)? = nil) throws { repository = try GitRepository(servedBy: server) }

    var notices: [String] { noticed.withLock(\.self) }

    /// Opens the ledger.
    ///
    /// - Parameters:
    ///   - machine: The machine, which has its own cache and state.
    ///   - variables: Environment variables that override those of the client.
    func open(
        machine: String = "a", place: GitLocation.Place? = nil, refs: String = "refs/sluice",
        mode: GitLedger.Mode = .readWrite,
        pushesPerMinute: Int? = nil, variables: [String: String] = [:]
    ) -> GitLedger {
        let home = "\(repository.home)/\(machine)"
        return GitLedger(
            GitLocation(
                place: place ?? .address(repository.address, folder: repository.home), refs: refs,
                pushesPerMinute: pushesPerMinute),
            target: Self.target, sandbox: "prod", mode: mode,
            cacheFolder: home + "/cache", stateFolder: home + "/state",
            environment: repository.environment.merging(variables) { $1 },
            notice: { [self] text in noticed.withLock { $0.append(text) } })
    }

    /// Returns the refs of the repository with their commits.
    func refs() throws -> [String: String] {
        let listed = try repository.git("for-each-ref", "--format=%(refname) %(objectname)")
        return Dictionary(
            listed.split(separator: "\n").map { line in
                let words = line.split(separator: " ").map(String.init)
                return (words[0], words[1])
            }
        ) { first, _ in first }
    }

    /// Returns the flow's ref.
    func flowRef(_ flow: FlowID = flow) throws -> String {
        guard let ref = try refs().keys.first(where: { $0.hasSuffix(flow.description) }) else {
            throw ProgramFailure(description: "the flow has no ref")
        }
        return ref
    }

    /// Creates a wrapper of `git` whose script handles pushes. `$REAL` is the original `git`, `$STATE` a file for the
    /// script, `$COMMIT` the pushed commit and `$REF` its destination.
    func pushesBy(_ script: String) throws -> [String: String] {
        try program(
            """
            for argument in "$@"; do last=$argument; [ "$argument" = push ] && push=1; done
            case "$last" in *compare-and-swap) push= ;; esac
            [ -n "$push" ] || exec "$REAL" "$@"
            COMMIT=${last%%:*}; REF=${last#*:}
            \(script)
            """)
    }

    /// Creates a wrapper of `git` that delays fetches.
    func fetches(takeSeconds seconds: Double) throws -> [String: String] {
        try program(
            """
            for argument in "$@"; do [ "$argument" = fetch ] && sleep \(seconds); done
            exec "$REAL" "$@"
            """)
    }

    private func program(_ script: String) throws -> [String: String] {
        let folder = "\(repository.home)/bin-\(UUID().uuidString.prefix(6))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = repository.environment["PATH"] ?? ""
        let wrapper = """
            #!/bin/sh
            PATH='\(path)'; export PATH
            REAL=$(command -v git); STATE='\(folder)/state'
            \(script)
            """
        try writeProgram(wrapper, to: folder + "/git")
        return ["PATH": "\(folder):\(path)"]
    }
}

extension FlowLedger {
    /// Claims a window of one day, counted from 2024-05-01.
    mutating func claim(day: Int64, id: String = "c1", flow: FlowID = GitFixture.flow) throws {
        let start = 1_714_521_600 + day * 86_400
        let window = Window(startSeconds: start, endSeconds: start + 86_400)!
        try claim(
            Claim(
                identity: RunIdentity(flow: flow, window: window), deltaColumn: nil, request: "POST /runs {}",
                claim: RunClaim(id: ClaimID(id)!, owner: "host:1", time: nil), claimedAt: GitFixture.now,
                provenance: Provenance(
                    file: "crm.yaml", line: 7, commit: "c0ffee", author: "ada", ciRun: "https://ci.example/1")))
    }
}

extension GitLedger {
    /// Claims one window on top of the current ledger.
    func claim(day: Int64, nonce: String, flow: FlowID = GitFixture.flow) async throws -> CommitResult {
        var ledger = FlowLedger(try await snapshot(of: flow))
        try ledger.claim(day: day, flow: flow)
        return try await commit(ledger.commit(nonce: nonce))
    }

    func days(of flow: FlowID = GitFixture.flow) async throws -> [Int64] {
        try await snapshot(of: flow).runs.map { (($0.window?.start.seconds ?? 0) - 1_714_521_600) / 86_400 }
    }
}
