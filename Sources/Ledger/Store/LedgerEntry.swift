import FlowRuns

/// A complete row of the ledger, for history, export and import.
package struct LedgerEntry: Hashable, Sendable {
    package var run: RecordedRun
    /// The exact request: `POST /runs` and its body, or the URL of the re-trigger.
    package var request: String?
    package var response: String?
    /// The status of the run, as the service reports it.
    package var status: String?
    package var counts: RunCounts {
        didSet { run.records = counts.records }
    }
    /// The time of the row's last change.
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

    /// Creates the row of a run that was requested outside this ledger.
    package init(_ observed: ObservedRun, identity: RunIdentity, at now: Timestamp) {
        self.init(
            run: RecordedRun(
                identity: identity, state: observed.end?.state ?? .accepted, origin: .service, id: observed.id,
                recordedAt: observed.createdAt, failure: observed.end?.failure),
            status: observed.status, counts: observed.counts, updatedAt: now)
    }
}

/// The origin of a request: its place in the manifest, and the commit, author and CI run from the environment.
package struct Provenance: Hashable, Sendable {
    package var file: String?
    package var line: Int?
    package var commit: String?
    package var author: String?
    /// The URL of the CI run.
    package var ciRun: String?
    /// The reason for a rerun, from the manifest.
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

/// A change to a run's row.
package enum RunUpdate: Hashable, Sendable {
    case outcome(RequestOutcome)
    /// The service reported the run's status.
    case observed(ObservedRun)
    /// The service reported a window that was unknown before, or that a manifest had declared wrongly.
    case window(RunIdentity)
}

/// The outcome of a request.
package enum RequestOutcome: Hashable, Sendable {
    /// The service accepted the request, according to its answer or its list of runs.
    case accepted(RunID, response: String?)
    /// The service refused the request.
    case rejected(reason: String, response: String?)
    case inDoubt(reason: String, response: String?)
    /// The service did not accept the request: it was never sent, or its run was missing when the claim was settled.
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
    /// Applies an update. State changes must be allowed by `RunState.canBecome`.
    ///
    /// - Throws: ``LedgerError/illegalMove(_:from:to:)`` when the state change is not allowed.
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
    /// Applies an update to the whole row.
    ///
    /// - Throws: ``LedgerError/illegalMove(_:from:to:)`` when the state change is not allowed.
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

    /// The reason why the row is invalid on its own; `nil` when it is valid.
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
    /// Returns the counts, with older values for those that the service no longer reports.
    fileprivate func completed(by older: RunCounts) -> RunCounts {
        RunCounts(
            inputRecords: inputRecords ?? older.inputRecords, outputRecords: outputRecords ?? older.outputRecords,
            failedRecords: failedRecords ?? older.failedRecords, inputFiles: inputFiles ?? older.inputFiles)
    }
}
