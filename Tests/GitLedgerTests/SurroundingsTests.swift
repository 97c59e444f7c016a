import FlowRuns
import Foundation
import GitLedger
import Ledger
import TestSupport
import Testing

@Suite("Git ledgers and their environment")
struct SurroundingsTests {
    @Test("the ledger works with any user configuration and any Git variables")
    func scrubbed() async throws {
        let fixture = try GitFixture()
        let home = fixture.repository.home
        let trace = home + "/trace"
        try FileManager.default.createDirectory(atPath: home + "/hooks", withIntermediateDirectories: true)
        try writeProgram("#!/bin/sh\nexit 1\n", to: home + "/hooks/pre-push")
        try Data(
            """
            [push]
                gpgSign = true
                recurseSubmodules = only
                followTags = true
                pushOption = ci.skip
            [core]
                hooksPath = \(home)/hooks
            [fetch]
                prune = false
            """.utf8
        ).write(to: URL(fileURLWithPath: home + "/.gitconfig"))
        let store = fixture.open(variables: [
            "GIT_DIR": "/nowhere", "GIT_WORK_TREE": "/nowhere", "GIT_NAMESPACE": "other",
            "GIT_OBJECT_DIRECTORY": "/nowhere",
            "GIT_INDEX_FILE": "/nowhere", "GIT_TRACE": trace, "GIT_TRACE_CURL": trace, "GIT_TRACE2": trace,
            "GIT_AUTHOR_DATE": "yesterday", "GIT_COMMITTER_NAME": "", "LANG": "de_DE.UTF-8", "LC_ALL": "de_DE.UTF-8",
        ])
        #expect(try await store.claim(day: 0, nonce: "a") == .done)
        #expect(try await store.claim(day: 1, nonce: "b") == .done)
        #expect(!FileManager.default.fileExists(atPath: trace))
        #expect(try fixture.flowRef().hasPrefix("refs/sluice/prod-"))
    }

    @Test(
        "an address resolves to the repository to which Git itself pushes",
        arguments: ["insteadOf", "pushInsteadOf", "a rule that fits the result too", "a rule that fits only pushes"],
        [false, true])
    func rewritten(rule: String, isRemote: Bool) async throws {
        let fixture = try GitFixture()
        let (home, path) = (fixture.repository.home, fixture.repository.path)
        let rules =
            switch rule {
            case "insteadOf": "[url \"\(path)\"]\n insteadOf = ledger:x"
            case "pushInsteadOf":
                "[url \"/absent/\"]\n insteadOf = ledger:\n[url \"\(path)\"]\n pushInsteadOf = ledger:x"
            case "a rule that fits the result too":
                "[url \"\(path)\"]\n insteadOf = ledger:x\n[url \"/absent/\"]\n insteadOf = /"
            default: "[url \"\(path)\"]\n pushInsteadOf = ledger:x\n[url \"/absent/\"]\n pushInsteadOf = \(path)"
            }
        try Data(rules.utf8).write(to: URL(fileURLWithPath: home + "/.gitconfig"))
        var place = GitLocation.Place.address("ledger:x", folder: home)
        if isRemote {
            try runProgram("git", ["init", "--quiet", home + "/clone"], fixture.repository.environment)
            try runProgram(
                "git", ["remote", "add", "origin", "ledger:x"], fixture.repository.environment, in: home + "/clone")
            place = .remote("origin", folder: home + "/clone")
        }
        #expect(try await fixture.open(place: place).claim(day: 0, nonce: "a") == .done)
        #expect(try await fixture.open(place: place).days() == [0])
        #expect(try fixture.flowRef().hasPrefix("refs/sluice/prod-"))
    }

    @Test("a relative remote starts at the root of the work tree, as for Git itself")
    func relativeRemote() async throws {
        let fixture = try GitFixture()
        let clone = fixture.repository.home + "/clone"
        try FileManager.default.createDirectory(atPath: clone + "/a/b", withIntermediateDirectories: true)
        let environment = fixture.repository.environment
        try runProgram("git", ["init", "--quiet"], environment, in: clone)
        try runProgram("git", ["remote", "add", "origin", "../../ledger.git"], environment, in: clone)
        try runProgram("git", ["fetch", "--quiet", "origin"], environment, in: clone + "/a/b")
        #expect(
            try await fixture.open(place: .remote("origin", folder: clone + "/a/b")).claim(day: 0, nonce: "a") == .done)
        #expect(try fixture.flowRef().hasPrefix("refs/sluice/prod-"))
    }

    @Test("a SHA-256 repository is refused by the first read", arguments: [true, false])
    func otherObjectFormat(isEmpty: Bool) async throws {
        let fixture = try GitFixture()
        let path = fixture.repository.home + "/sha256.git"
        let environment = fixture.repository.environment
        try runProgram("git", ["init", "--quiet", "--bare", "--object-format=sha256", path], environment)
        if !isEmpty {
            let commit = "commit refs/sluice/x/y\ncommitter x <x@x> 1 +0000\ndata 1\nx\n\ndone\n"
            try Data(commit.utf8).write(to: URL(fileURLWithPath: path + "/script"))
            let command = "git --git-dir='\(path)' fast-import --quiet --done < '\(path)/script'"
            try runProgram("sh", ["-c", command], environment)
        }
        for mode in [GitLedger.Mode.readOnly, .readWrite] {
            let store = fixture.open(place: .address(path, folder: fixture.repository.home), mode: mode)
            await #expect {
                try await store.flows()
            } throws: { error in
                guard case .unusable(let reason)? = error as? LedgerError else { return false }
                return reason.contains("SHA-256")
            }
        }
    }

    @Test("the token in the checkout's configuration is used, only once", arguments: [false, true])
    func checkoutToken(isIncluded: Bool) async throws {
        let fixture = try GitFixture(servedBy: GitHTTPServer.shared())
        let clone = fixture.repository.home + "/clone"
        let environment = fixture.repository.environment
        let plain = fixture.repository.address.replacingOccurrences(of: "ada:\(GitHTTPServer.password)@", with: "")
        let token = Data("ada:\(GitHTTPServer.password)".utf8).base64EncodedString()
        try runProgram("git", ["init", "--quiet", clone], environment)
        try runProgram("git", ["remote", "add", "origin", plain], environment, in: clone)
        let header = ["http.\(plain).extraheader", "AUTHORIZATION: basic \(token)"]
        if isIncluded {
            try runProgram("git", ["config", "-f", fixture.repository.home + "/token"] + header, environment)
            try runProgram(
                "git", ["config", "includeIf.gitdir:\(clone)/.git.path", fixture.repository.home + "/token"],
                environment, in: clone)
        } else {
            try runProgram("git", ["config"] + header, environment, in: clone)
        }
        try FileManager.default.createDirectory(atPath: clone + "/manifests", withIntermediateDirectories: true)
        let store = fixture.open(place: .remote("origin", folder: clone + "/manifests"))
        #expect(try await store.claim(day: 0, nonce: "a") == .done)
        let status = try runProgram("git", ["status", "--porcelain", "--branch"], environment, in: clone)
        #expect(status == "## No commits yet on main\n" || status == "## No commits yet on master\n")
        #expect(try runProgram("git", ["for-each-ref"], environment, in: clone).isEmpty)
    }

    @Test("errors show no password", arguments: ["wrong password", "no such repository"])
    func secrets(fault: String) async throws {
        let fixture = try GitFixture(servedBy: GitHTTPServer.shared())
        let address =
            fault == "wrong password"
            ? fixture.repository.address.replacingOccurrences(of: GitHTTPServer.password, with: "wr0ng-word")
            : fixture.repository.address + "-not"
        let store = fixture.open(place: .address(address, folder: fixture.repository.home))
        await #expect {
            _ = try await store.claim(day: 0, nonce: "a")
        } throws: { error in
            let text = "\(error)"
            return text.contains("127.0.0.1") && !text.contains("wr0ng") && !text.contains(GitHTTPServer.password)
                && !text.contains("ada")
        }
    }

    @Test("errors name what is missing: the remote, the repository, or Git")
    func missing() async throws {
        let fixture = try GitFixture()
        let home = fixture.repository.home
        try runProgram("git", ["init", "--quiet", home + "/clone"], fixture.repository.environment)
        func failure(_ place: GitLocation.Place, _ variables: [String: String] = [:]) async -> String {
            do {
                _ = try await fixture.open(place: place, variables: variables).flows()
                return "none"
            } catch { return error.description }
        }
        #expect(await failure(.remote("upstream", folder: home + "/clone")).contains("has no remote 'upstream'"))
        #expect(await failure(.remote("origin", folder: "/")).contains("is not in one"))
        #expect(await failure(.address(home + "/absent.git", folder: home)).contains("refuses"))
        #expect(await failure(.address(home, folder: home), ["PATH": "/nowhere"]).contains("'git' is not installed"))
    }

    @Test("the cache is shared by many processes")
    func sharedCache() async throws {
        let fixture = try GitFixture()
        #expect(try await fixture.open().claim(day: 0, nonce: "a") == .done)
        let readings = try await withThrowingTaskGroup(of: [Int64].self) { group in
            for _ in 0..<12 { group.addTask { try await fixture.open().days() } }
            return try await group.reduce(into: [[Int64]]()) { $0.append($1) }
        }
        #expect(readings == Array(repeating: [0], count: 12))
    }

    @Test("the ledger is kept in branches if the address asks for branches")
    func branches() async throws {
        let fixture = try GitFixture()
        #expect(try await fixture.open(refs: "refs/heads/sluice").claim(day: 0, nonce: "a") == .done)
        #expect(try fixture.flowRef().hasPrefix("refs/heads/sluice/prod-"))
        #expect(try await fixture.open(machine: "b").days().isEmpty)
    }

    @Test("the history of a ledger is readable")
    func history() async throws {
        let fixture = try GitFixture()
        let store = fixture.open()
        #expect(try await store.claim(day: 0, nonce: "a") == .done)
        var ledger = FlowLedger(try await store.snapshot(of: GitFixture.flow))
        let run = try #require(ledger.runs.first)
        let claim = Claim(
            identity: run.identity, deltaColumn: nil, request: "POST /runs {}", claim: try #require(run.claim),
            claimedAt: GitFixture.now, provenance: Provenance())
        try ledger.record(.accepted(RunID("run-1")!, response: nil), of: claim, at: GitFixture.now)
        for day in [40, 41] { try ledger.claim(day: Int64(day), id: "c2") }
        #expect(try await store.commit(ledger.commit(nonce: "b")) == .done)
        let ref = try fixture.flowRef()
        #expect(
            try fixture.repository.git("log", "--format=%B", ref) == """
                accepted 2024-05-01T00:00:00Z … 2024-05-02T00:00:00Z; claim 2 windows, 2024-06-10T00:00:00Z … 2024-06-12T00:00:00Z

                accepted 2024-05-01T00:00:00Z … 2024-05-02T00:00:00Z: run run-1
                claim 2024-06-10T00:00:00Z … 2024-06-11T00:00:00Z (crm.yaml:7)
                claim 2024-06-11T00:00:00Z … 2024-06-12T00:00:00Z (crm.yaml:7)

                Flow: 00000000-0000-4000-8000-000000000001
                Revision: 2 b
                Claim: c2
                Claimed-By: host:1
                Manifest-Commit: c0ffee
                Author: ada
                CI-Run: https://ci.example/1

                claim 2024-05-01T00:00:00Z … 2024-05-02T00:00:00Z

                claim 2024-05-01T00:00:00Z … 2024-05-02T00:00:00Z (crm.yaml:7)

                Flow: 00000000-0000-4000-8000-000000000001
                Revision: 1 a
                Claim: c1
                Claimed-By: host:1
                Manifest-Commit: c0ffee
                Author: ada
                CI-Run: https://ci.example/1


                """)
        #expect(
            try fixture.repository.git("ls-tree", "-r", "--name-only", ref)
                == "flow.json\nledger.json\nruns/2024-05.jsonl\nruns/2024-06.jsonl\n")
        let exported = try await store.entries(of: GitFixture.flow).entries.map { LedgerExport.line($0) }
        #expect(
            try fixture.repository.git("show", "\(ref):runs/2024-05.jsonl")
                == String(decoding: exported[0], as: UTF8.self))
    }
}
