import FlowRuns

/// A whole row of the ledger, for history, export and import.
package struct LedgerEntry: Hashable, Sendable {
    package var run: RecordedRun
    /// The exact request: `POST /runs` and its body, or the address of the re-trigger.
    package var request: String?
    package var response: String?
    /// The service's own word for where the run stands.
    package var status: String?
    package var counts: RunCounts {
        didSet { run.records = counts.records }
    }
    /// When the row last changed.
    package var updatedAt: Timestamp
    package var provenance: Provenance

    package init(
        run: RecordedRun, request: String? = nil, response: String? = nil, status: String? = nil,
        counts: RunCounts = RunCounts(), updatedAt: Timestamp, provenance: Provenance = Provenance()
    ) {
        self.run = run
        self.request = request
        self.response = response
        self.status = status
        self.counts = counts
        self.updatedAt = updatedAt
        self.provenance = provenance
        self.run.records = counts.records
    }

    /// The row of a run that somebody else made, or that was made before this ledger.
    package init(_ observed: ObservedRun, identity: RunIdentity, at now: Timestamp) {
        self.init(
            run: RecordedRun(
                identity: identity, state: observed.end?.state ?? .accepted, origin: .service, id: observed.id,
                recordedAt: observed.createdAt, failure: observed.end?.failure),
            status: observed.status, counts: observed.counts, updatedAt: now)
    }
}

/// Who asked for a run, and why: where it is declared, and what the environment tells of commit, author and CI run.
package struct Provenance: Hashable, Sendable {
    package var file: String?
    package var line: Int?
    package var commit: String?
    package var author: String?
    /// The address of the CI run.
    package var ciRun: String?
    /// Of a rerun: why the manifest asks for it.
    package var reason: String?

    package init(
        file: String? = nil, line: Int? = nil, commit: String? = nil, author: String? = nil, ciRun: String? = nil,
        reason: String? = nil
    ) {
        self.file = file
        self.line = line
        self.commit = commit
        self.author = author
        self.ciRun = ciRun
        self.reason = reason
    }
}

/// What can happen to a row.
package enum RunUpdate: Hashable, Sendable {
    case outcome(RequestOutcome)
    /// The service says where the run stands.
    case observed(ObservedRun)
    /// The service reports the window of a run that it did not report before, or that a manifest had claimed wrongly.
    case window(RunIdentity)
}

/// What became of a request.
package enum RequestOutcome: Hashable, Sendable {
    /// The service took it: from its answer, or found among its runs.
    case accepted(RunID, response: String?)
    /// A definite refusal.
    case rejected(reason: String, response: String?)
    case inDoubt(reason: String, response: String?)
    /// Surely not taken: never sent, or absent from the service when its time had passed.
    case released(reason: String)

    package var state: RunState {
        switch self {
        case .accepted: .accepted
        case .rejected: .rejected
        case .inDoubt: .inDoubt
        case .released: .released
        }
    }
}

extension RecordedRun {
    /// Moves the run along one of the arrows of ``RunState/canBecome(_:)``.
    ///
    /// - Throws: ``LedgerError/illegalMove(_:from:to:)`` for any other move.
    mutating func apply(_ update: RunUpdate) throws(LedgerError) {
        switch update {
        case .outcome(let outcome):
            guard state.canBecome(outcome.state) else { throw .illegalMove(identity, from: state, to: outcome.state) }
            state = outcome.state
            switch outcome {
            case .accepted(let run, _): (id, failure) = (run, nil)
            case .rejected(let reason, _), .inDoubt(let reason, _), .released(let reason): failure = reason
            }
        case .observed(let observed):
            records = observed.counts.records ?? records
            guard let end = observed.end, state.canBecome(end.state) else { return }
            (state, failure) = (end.state, end.failure)
        case .window(let identity):
            guard origin == .service, identity.window != nil else {
                throw .illegalMove(self.identity, from: state, to: state)
            }
            self = identified(as: identity)
        }
    }
}

extension LedgerEntry {
    /// The same for the whole row.
    ///
    /// - Throws: ``LedgerError/illegalMove(_:from:to:)``.
    package mutating func apply(_ update: RunUpdate, at now: Timestamp) throws(LedgerError) {
        let before = self
        try run.apply(update)
        switch update {
        case .outcome(.accepted(_, let answer)), .outcome(.rejected(_, let answer)), .outcome(.inDoubt(_, let answer)):
            response = answer ?? response
        case .outcome(.released), .window: break
        case .observed(let observed):
            status = observed.status
            counts = observed.counts.completed(by: counts)
        }
        if self != before { updatedAt = now }
    }

    /// What is wrong with the row by itself, in words; `nil` when nothing is.
    package var invalidity: String? {
        let identity = run.identity
        if identity.attempt < 1 { return "attempt \(identity.attempt) is not counted from 1" }
        if identity.rerun == "" { return "the rerun's id is empty" }
        if run.state.isAccepted, run.id == nil { return "\(run.state.rawValue), but without a run id" }
        if !run.state.isAccepted, let id = run.id { return "\(run.state.rawValue), but with the run id \(id)" }
        if run.origin == .request, identity.window == nil { return "a request without a window" }
        if run.origin == .service, !run.state.isAccepted {
            return "found on the service, but \(run.state.rawValue)"
        }
        if run.origin == .service, run.deltaColumn != nil {
            return "found on the service, but with a delta column sent"
        }
        return nil
    }
}

extension RunCounts {
    /// What the service has stopped telling is kept.
    fileprivate func completed(by older: RunCounts) -> RunCounts {
        RunCounts(
            inputRecords: inputRecords ?? older.inputRecords, outputRecords: outputRecords ?? older.outputRecords,
            failedRecords: failedRecords ?? older.failedRecords, inputFiles: inputFiles ?? older.inputFiles)
    }
}
