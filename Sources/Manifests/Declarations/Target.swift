import FlowRuns
import RunRequests

/// One organisation, sandbox, service address and ledger: `kind: Target`.
package struct Target: Hashable, Sendable {
    /// Where the Flow Service answers.
    package enum Service: Hashable, Sendable, CustomStringConvertible {
        /// The simulator, started in this process over loopback.
        case embedded
        /// The base address, without a slash at its end.
        case address(String)

        /// As a manifest writes it.
        package var description: String {
            switch self {
            case .embedded: "embedded"
            case .address(let address): address
            }
        }
    }

    package let name: String
    package let service: Service
    package let organization: String
    package let sandbox: String
    package let ledger: LedgerAddress
    package let wireForm: WireForm
    package let limits: Limits
    /// `nil` where the manifest gives none.
    package let runLink: RunLink?
    /// Where the value of `metadata.name` is.
    package let place: Place

    package init(
        name: String, service: Service, organization: String, sandbox: String, ledger: LedgerAddress,
        wireForm: WireForm = WireForm(), limits: Limits = Limits(), runLink: RunLink? = nil, place: Place
    ) {
        self.name = name
        self.service = service
        self.organization = organization
        self.sandbox = sandbox
        self.ledger = ledger
        self.wireForm = wireForm
        self.limits = limits
        self.runLink = runLink
        self.place = place
    }

    /// What tells this target's runs from another's within one ledger: service, organisation and sandbox. The
    /// target's name is left out, so that renaming it never sends anything again.
    package var identity: String {
        TargetIdentity(service: service.description, organization: organization, sandbox: sandbox).description
    }

    /// The identities under which a ledger may keep this target's runs: the normal one first, then the one that earlier
    /// versions used, with the address as the manifest spells it. For a third spelling see `TargetIdentity`.
    package var identities: [String] {
        let written = "\(service) \(organization) \(sandbox)"
        return written == identity ? [identity] : [identity, written]
    }
}

/// How far an apply may go, and how fast.
package struct Limits: Hashable, Sendable {
    /// A plan with more requests than this is refused.
    package var maxRunsPerApply = 500
    /// Of all flows together, in a day of UTC; `nil` for as many as there are.
    package var runsPerDay: Int?
    /// How many runs may be under way at once; `nil` for as many as there are.
    package var running: Int?
    package var parallelFlows = 8
    /// Over all flows together.
    package var requestsPerSecond = 5.0
    /// How long one request may last, and how long after its claim it may still be sent.
    package var requestTimeout: Duration = .seconds(30)
    /// How long after its claim a request without an answer may be taken and listed by the service; at least
    /// ``leastSettle``.
    package var settle: Duration = .seconds(120)

    package init() {}

    /// A request may leave until one `requestTimeout` after its claim and last for another; the third is for the service
    /// to list the run.
    package var leastSettle: Duration { requestTimeout * 3 }
}
