import FlowRuns
import Foundation
import RandomNumbers
import Text

/// What the simulator wants to know of who asks.
package struct SignIn: Hashable, Sendable {
    /// A client of the token endpoint.
    package struct Client: Hashable, Sendable {
        /// The client id, which is also the API key.
        package let id: String
        package let secret: String

        package init(id: String, secret: String) {
            self.id = id
            self.secret = secret
        }
    }

    /// `nil`: the token endpoint gives a token to everybody, and any token that is not empty is good.
    package var client: Client?
    /// How long a token is good; sent in whole seconds.
    package var tokenLifetime: Duration
    /// Whether `Authorization`, `x-api-key` and `x-gw-ims-org-id` must be there and right.
    package var checksHeaders: Bool
    /// The only organisation whose calls are taken; `nil`: any.
    package var organization: String?

    /// Any token, key and organisation will do, but all must be there, unless told otherwise.
    package init(
        client: Client? = nil, tokenLifetime: Duration = .seconds(86_399), checksHeaders: Bool = true,
        organization: String? = nil
    ) {
        self.client = client
        self.tokenLifetime = tokenLifetime
        self.checksHeaders = checksHeaders
        self.organization = organization
    }

    /// Answers `POST /ims/token/v3` with a form as its body.
    func token(form: String, seed: UInt64, at now: Timestamp) throws(ServiceError) -> ServiceAnswer {
        var fields: [String: String] = [:]
        var components = URLComponents()
        components.percentEncodedQuery = form.replacing("+", with: "%20")
        for item in components.queryItems ?? [] { fields[item.name] = item.value }
        guard fields["grant_type"] == "client_credentials" else { throw .wrongGrant }
        if let client {
            guard fields["client_id"] == client.id else { throw .wrongClient }
            guard fields["client_secret"] == client.secret else { throw .wrongSecret }
        }
        let end = now + tokenLifetime
        var json = JSONText()
        json.object {
            $0.member("access_token", "simulated.\(end.milliseconds).\(signature(end, seed: seed))")
            $0.member("token_type", "bearer")
            $0.member("expires_in", tokenLifetime.wholeSeconds)
        }
        return ServiceAnswer(status: 200, body: json.text)
    }

    /// Checks the headers of a call. Their names are in lower case.
    func check(_ headers: [String: String], seed: UInt64, at now: Timestamp) throws(ServiceError) {
        guard checksHeaders else { return }
        guard let authorization = headers["authorization"], !authorization.isEmpty else { throw .noToken }
        let words = authorization.split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "bearer" else { throw .badToken }
        guard isGood(token: words[1], seed: seed, at: now) else { throw .badToken }
        guard let key = headers["x-api-key"], !key.isEmpty else { throw .noKey }
        if let client, key != client.id { throw .wrongKey }
        guard let organization = headers["x-gw-ims-org-id"], !organization.isEmpty else { throw .noOrganization }
        if let only = self.organization, organization != only { throw .wrongOrganization }
    }

    /// A token tells its own end, so that every simulator on one state file knows it. One that did not come from here
    /// is good where no client is configured.
    private func isGood(token: Substring, seed: UInt64, at now: Timestamp) -> Bool {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "simulated", let milliseconds = Int64(parts[1]) else {
            return client == nil
        }
        let end = Timestamp(milliseconds: milliseconds)
        return now < end && parts[2] == signature(end, seed: seed)
    }

    private func signature(_ end: Timestamp, seed: UInt64) -> String {
        var random = SeededGenerator(
            seed: seed ^ stableHash(client?.secret ?? ""), choice: "signature",
            number: UInt64(bitPattern: end.milliseconds))
        return hexadecimal(random.next(), width: 16)
    }
}
