import FlowRuns
import Foundation
import Text

/// The authentication rules of the simulator.
package struct SignIn: Hashable, Sendable {
    /// The credentials of an API client.
    package struct Client: Hashable, Sendable {
        /// The client ID, which is also the API key.
        package let id: String
        package let secret: String

        package init(id: String, secret: String) {
            self.id = id
            self.secret = secret
        }
    }

    /// The only client that is accepted; `nil` accepts every client, and every token from elsewhere.
    package var client: Client?
    /// The validity period of a token, which is sent in whole seconds.
    package var tokenLifetime: Duration
    /// Whether `Authorization`, `x-api-key` and `x-gw-ims-org-id` are required and validated.
    package var checksHeaders: Bool
    /// The only organisation that is accepted; `nil` accepts every organisation.
    package var organization: String?

    /// Creates the rules; by default all headers are required, and any token, key and organisation is accepted.
    package init(
        client: Client? = nil, tokenLifetime: Duration = .seconds(86_399), checksHeaders: Bool = true,
        organization: String? = nil
    ) {
        self.client = client
        self.tokenLifetime = tokenLifetime
        self.checksHeaders = checksHeaders
        self.organization = organization
    }

    /// Answers a `POST /ims/token/v3` request that has a form as its body.
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

    /// Validates the headers of an API call.
    ///
    /// - Parameter headers: The headers by lowercase name.
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

    /// Validates a token.
    ///
    /// A token contains its own expiry time, so that every simulator with the same seed and client can validate it. A
    /// token from elsewhere is valid if no client is configured.
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
