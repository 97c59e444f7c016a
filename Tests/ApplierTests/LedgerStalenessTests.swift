import FlowRuns
import FlowService
import Ledger
import Testing

@testable import Applier

/// The table of the decision whether a ledger may lack recent requests.
@Suite("Stale ledgers")
struct LedgerStalenessTests {
    private static let settle = Duration.seconds(120)

    private static func wait(
        needsRecheck: Bool = false, hasJournal: Bool = true, _ ages: [Duration?] = [], sinceStart: Duration = .zero
    ) -> Duration? {
        let missing = ages.enumerated().map { (id: ClaimID("c\($0)")!, age: $1) }
        let staleness = LedgerStaleness(
            needsRecheck: needsRecheck, hasJournal: hasJournal, missing: missing, sinceStart: sinceStart,
            settle: settle)
        guard case .stale(let wait, _, let claims) = staleness else { return nil }
        #expect(claims == missing.map(\.id))
        return wait
    }

    @Test("a ledger with every claim of the journal is trusted")
    func trusted() { #expect(Self.wait() == nil) }

    @Test("a restored ledger is compared after settle, however long the process has been running")
    func restored() { #expect(Self.wait(needsRecheck: true, sinceStart: .seconds(500)) == Self.settle) }

    @Test("without a journal the wait begins with the process, but not before a claim that appeared since")
    func withoutJournal() {
        #expect(Self.wait(hasJournal: false, sinceStart: .seconds(20)) == .seconds(100))
        #expect(Self.wait(hasJournal: false, sinceStart: .seconds(500)) == .zero)
        #expect(Self.wait(hasJournal: false, [.seconds(1)], sinceStart: .seconds(500)) == .seconds(119))
    }

    @Test("a missing claim is waited for until settle has passed by the boot clock, in full if its age is unknown")
    func missing() {
        #expect(Self.wait([.seconds(30)]) == .seconds(90))
        #expect(Self.wait([.seconds(3_600)]) == .zero)
        #expect(Self.wait([.seconds(3_600), .seconds(100), nil]) == Self.settle)
    }
}

/// What an error of the service concerns.
@Suite("The scope of errors")
struct ErrorScopeTests {
    @Test(
        "an answer about one flow holds that flow, an unusable service stops everything",
        arguments: [
            (FlowServiceError.unreadable("a page has no items"), FlowServiceError.Scope.flow),
            (.refused(status: 400, "no such property"), .flow), (.refused(status: 404, "no such flow"), .flow),
            (.stale("Age: 300"), .flow), (.refused(status: 302, "moved"), .service),
            (.malformed("not a JSON object"), .service), (.unavailable("connection refused"), .service),
            (.unauthorized("401"), .service), (.stopped, .service),
        ])
    func scope(error: FlowServiceError, scope: FlowServiceError.Scope) { #expect(error.scope == scope) }
}
