import FlowService
import Text

/// The source of access tokens: a fixed token, or tokens fetched by OAuth server-to-server authentication. Concurrent
/// requests share one fetch, and a token is renewed before it expires.
actor AccessTokens {
    private struct Token {
        let value: String
        /// `nil` when the token has no known expiry. A 401 then triggers the renewal.
        let renewAt: MonotonicInstant?
    }

    private struct Source {
        let client: ClientCredentials
        let transport: Transport
        let sender: RetryingSender
    }

    /// Time before expiry at which a token is renewed. For short-lived tokens, a tenth of their lifetime if that is
    /// shorter.
    private static let margin = Duration.seconds(300)

    private let source: Source?
    private var current: Token?
    private var fetch: Task<Result<Token, FlowServiceError>, Never>?

    /// Uses a token that cannot be renewed.
    init(fixed token: String) {
        source = nil
        current = Token(value: token, renewAt: nil)
    }

    init(of client: ClientCredentials, over transport: Transport, sender: RetryingSender) {
        source = Source(client: client, transport: transport, sender: sender)
    }

    /// Returns the current token, after renewing a token that is about to expire.
    func token() async throws(FlowServiceError) -> String {
        guard let current else { return try await renewed() }
        if let source, let renewAt = current.renewAt, source.sender.time.monotonic() >= renewAt {
            return try await renewed()
        }
        return current.value
    }

    /// Returns a replacement for a token that was answered with 401; `nil` when a fixed token is in use.
    func replacement(of refused: String) async throws(FlowServiceError) -> String? {
        guard source != nil else { return nil }
        if let current, current.value != refused { return current.value }
        return try await renewed()
    }

    func close() async { await source?.transport.close() }

    private func renewed() async throws(FlowServiceError) -> String {
        guard let source else { throw .unauthorized("there is no access token") }
        let task = fetch ?? Task { await Self.fetched(from: source) }
        fetch = task
        let result = await task.value
        if fetch == task {
            fetch = nil
            if case .success(let token) = result { current = token }
        }
        return try result.get().value
    }

    /// Requests a token as the authentication guide describes. Requesting a token is idempotent.
    private static func fetched(from source: Source) async -> Result<Token, FlowServiceError> {
        let form = [
            ("grant_type", "client_credentials"), ("client_id", source.client.id),
            ("client_secret", source.client.secret), ("scope", source.client.scopes),
        ]
        let body = form.map { "\($0)=\($1.formEncoded)" }.joined(separator: "&")
        let redaction = Redaction(Credentials.clientCredentials(source.client).secrets)
        let start = source.sender.time.monotonic()
        let answer: HTTPAnswer
        do throws(FlowServiceError) {
            answer = try await source.sender.send("the token address") { () async throws(TransportError) in
                try await source.transport.send(
                    .POST, "", headers: ["Content-Type": "application/x-www-form-urlencoded"], body: GuardedBody(body),
                    answerLimit: 65_536)
            }
        } catch {
            guard case .unavailable(let reason) = error else { return .failure(error) }
            return .failure(.unavailable(redaction(reason)))
        }
        let summary = "the token address answered \(answer.summary(redaction))"
        switch answer.status {
        case 200..<300: break
        case 408, 429, 500...:
            let reason = answer.unavailability(redaction, now: source.sender.time.now())
            return .failure(.unavailable("the token address: \(reason)"))
        default: return .failure(.unauthorized("the client credentials were rejected: \(summary)"))
        }
        if let flaw = answer.flaw { return .failure(.malformed("the token address: \(flaw)")) }
        guard let (value, life) = answer.accessToken else {
            return .failure(.malformed("the token address answered \(answer.status) without a token"))
        }
        return .success(Token(value: value, renewAt: life.map { start + $0 - min(margin, $0 / 10) }))
    }
}

extension HTTPAnswer {
    /// The access token in the answer, and its lifetime if `expires_in` is present.
    var accessToken: (value: String, life: Duration?)? {
        let document = JSONDocument(body)
        guard cut == nil, let value = document["access_token"].text, value.isHeaderValue else { return nil }
        return (value, document["expires_in"].integer.map { .seconds(min(max(0, $0), 1_000_000_000)) })
    }
}
