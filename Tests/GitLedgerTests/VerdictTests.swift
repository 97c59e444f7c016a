import FlowRuns
import Foundation
import GitLedger
import Ledger
import TestSupport
import Testing

/// The state of the ref decides about the success of a push, not its output.
@Suite("Results of pushes", .serialized)
struct VerdictTests {
    @Test(
        "a successful push that looks refused or failed is a success",
        arguments: [
            #"printf '!\t%s:%s\t[remote rejected] (failed to update ref)\nDone\n' "$COMMIT" "$REF"; exit 1"#,
            "echo 'fatal: the remote end hung up unexpectedly' >&2; exit 128",
            "kill -9 $$",
        ])
    func ownSuccess(after: String) async throws {
        let fixture = try GitFixture()
        let store = fixture.open(variables: try fixture.pushesBy(#""$REAL" "$@" > /dev/null 2>&1; "# + after))
        #expect(try await store.claim(day: 0, nonce: "a") == .done)
        #expect(try await store.claim(day: 1, nonce: "b") == .done)
        #expect(try await fixture.open(machine: "b").days() == [0, 1])
    }

    @Test("an exit status of 0 without a change of the ref is not a success, and the same commit is pushed again")
    func silence() async throws {
        let fixture = try GitFixture()
        let store = fixture.open(
            variables: try fixture.pushesBy(
                #"echo "$COMMIT" >> "$STATE"; [ "$(wc -l < "$STATE")" -gt 2 ] && exec "$REAL" "$@"; echo Done; exit 0"#)
        )
        #expect(try await store.claim(day: 0, nonce: "a") == .done)
        #expect(try await fixture.open(machine: "b").days() == [0])
    }

    @Test("a push that succeeds late has the same commit as its retry")
    func late() async throws {
        let fixture = try GitFixture()
        let store = fixture.open(
            variables: try fixture.pushesBy(
                #"""
                [ -e "$STATE" ] && exec "$REAL" "$@"
                : > "$STATE"
                (sleep 0.3; "$REAL" "$@") > /dev/null 2>&1 &
                echo 'error: RPC failed; HTTP 504' >&2; exit 1
                """#))
        #expect(try await store.claim(day: 0, nonce: "a") == .done)
        try await Task.sleep(for: .seconds(1))
        #expect(try await fixture.open(machine: "b").days() == [0])
        #expect(try fixture.repository.git("rev-list", "--count", fixture.flowRef()) == "1\n")
    }

    @Test("after unknown results, a retry pushes the very same commit")
    func unknown() async throws {
        let fixture = try GitFixture()
        let variables = try fixture.pushesBy(
            #"echo "$COMMIT" >> "$STATE"; [ "$(wc -l < "$STATE")" -gt 4 ] && exec "$REAL" "$@"; echo 'error: RPC failed; HTTP 502' >&2; exit 1"#
        )
        let store = fixture.open(variables: variables)
        var ledger = FlowLedger(try await store.snapshot(of: GitFixture.flow))
        try ledger.claim(day: 0)
        let commit = ledger.commit(nonce: "a")
        do {
            _ = try await store.commit(commit)
            Issue.record("nothing was pushed")
        } catch {
            guard case .unanswered(let reason) = error else { throw error }
            #expect(reason.contains("HTTP 502"))
        }
        #expect(try await store.commit(commit) == .done)
        let folder = try #require(variables["PATH"]?.split(separator: ":").first)
        let pushed = try String(contentsOfFile: "\(folder)/state", encoding: .utf8).split(separator: "\n")
        #expect(pushed.count == 5)
        #expect(Set(pushed).count == 1)
    }

    @Test("a rival's commit is a conflict")
    func rivals() async throws {
        let fixture = try GitFixture()
        let (mine, theirs) = (fixture.open(), fixture.open(machine: "b"))
        _ = try await mine.snapshot(of: GitFixture.flow)
        #expect(try await theirs.claim(day: 1, nonce: "b") == .done)
        var ledger = FlowLedger.empty(GitFixture.flow)
        try ledger.claim(day: 0)
        #expect(try await mine.commit(ledger.commit(nonce: "a")) == .conflict)
        #expect(try await mine.days() == [1])
    }

    @Test("a server killed during a push loses no commits", arguments: ["pre-receive", "post-receive"])
    func killedServer(hook: String) async throws {
        let fixture = try GitFixture()
        let store = fixture.open()
        #expect(try await store.claim(day: 0, nonce: "a") == .done)
        let flag = fixture.repository.home + "/killed"
        try fixture.repository.setHook(hook, "[ -e '\(flag)' ] && exit 0; : > '\(flag)'; kill -9 $PPID")
        #expect(try await store.claim(day: 1, nonce: "b") == .conflict || FileManager.default.fileExists(atPath: flag))
        #expect(FileManager.default.fileExists(atPath: flag))
        #expect(try await fixture.open(machine: "b").days() == [0, 1])
        #expect(try fixture.repository.git("rev-list", "--count", fixture.flowRef()) == "2\n")
    }

    @Test("a rejection by a hook or a read-only repository names the missing permission", arguments: [true, false])
    func refusals(byHook: Bool) async throws {
        let fixture = try GitFixture()
        let store = fixture.open()
        #expect(try await store.claim(day: 0, nonce: "a") == .done)
        let before = try fixture.refs()
        if byHook {
            try fixture.repository.setHook("pre-receive", "echo 'no ledgers here' >&2; exit 1")
        } else {
            try fixture.repository.setHook("update", "echo 'the repository is read-only' >&2; exit 1")
        }
        await #expect {
            _ = try await store.claim(day: 1, nonce: "b")
        } throws: { error in
            let text = "\(error)"
            return text.contains("contents: write") && text.contains(byHook ? "no ledgers here" : "read-only")
        }
        #expect(try fixture.refs() == before)
    }

    @Test(
        "only a failure that can pass is pushed again and again",
        arguments: [
            ("echo 'error: RPC failed; HTTP 403' >&2; exit 1", 1, true),
            ("echo 'fatal: unable to access https://x/: The requested URL returned error: 401' >&2; exit 128", 1, true),
            (#"printf '!\t%s:%s\t[remote rejected] (quota exceeded)\nDone\n' "$COMMIT" "$REF"; exit 1"#, 2, true),
            ("echo 'ERROR: This repository was archived so it is read-only.' >&2; exit 128", 2, true),
            ("echo 'error: RPC failed; HTTP 503' >&2; exit 1", 4, false),
            ("echo 'ssh: connect to host x port 22: Connection refused' >&2; exit 128", 4, false),
        ])
    func kinds(script: String, pushes: Int, isLasting: Bool) async throws {
        let fixture = try GitFixture()
        let variables = try fixture.pushesBy("echo >> \"$STATE\"; " + script)
        let store = fixture.open(variables: variables)
        let error = await #expect(throws: LedgerError.self) { try await store.claim(day: 0, nonce: "a") }
        if case .unusable = error { #expect(isLasting) } else { #expect(!isLasting) }
        let folder = try #require(variables["PATH"]?.split(separator: ":").first)
        #expect(try String(contentsOfFile: "\(folder)/state", encoding: .utf8).count == pushes)
    }

    @Test("a branch in the way of the ledger's branches is a lasting refusal in Git's own words")
    func branchInTheWay() async throws {
        let fixture = try GitFixture()
        #expect(try await fixture.open().claim(day: 0, nonce: "a") == .done)
        try fixture.repository.git("update-ref", "refs/heads/sluice", fixture.flowRef())
        await #expect {
            try await fixture.open(refs: "refs/heads/sluice").claim(day: 0, nonce: "b")
        } throws: { error in
            guard case .unusable(let reason)? = error as? LedgerError else { return false }
            return reason.contains("'refs/heads/sluice' exists")
        }
    }
}
