#include "keys/session_token.hpp"

#include "base/text.hpp"

#include <array>
#include <stdexcept>

namespace openrd::keys {
namespace {

constexpr std::string_view mark("\x08\x02\x12", 3);  // base64 of these three bytes is CAIS
constexpr std::string_view associated = "openrd session token";
constexpr unsigned char version = 1;
static_assert(session_token_bytes <= 0xFFFF);

// One version byte, then each field: texts with their length in two bytes in front, times in eight bytes, all big-endian.
class Writer {
  public:
    // The whole size, so that no growing leaves an unwiped copy of the secret behind.
    explicit Writer(std::size_t size) { bytes_.reserve(size); }
    ~Writer() { base::wipe(bytes_); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    void byte(unsigned char value) { bytes_ += static_cast<char>(value); }
    void text(std::string_view value) {
        byte(static_cast<unsigned char>(value.size() >> 8));
        byte(static_cast<unsigned char>(value.size() & 0xFF));
        bytes_ += value;
    }
    void time(std::int64_t value) {
        for (int shift = 56; shift >= 0; shift -= 8) byte(static_cast<unsigned char>(static_cast<std::uint64_t>(value) >> shift));
    }
    std::string_view bytes() const { return bytes_; }

  private:
    std::string bytes_;
};

class Reader {
  public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}
    unsigned char byte() {
        const auto one = take(1);
        return one.empty() ? 0 : static_cast<unsigned char>(one.front());
    }
    std::string_view text() {
        const std::size_t high = byte(), low = byte();
        return take(high << 8 | low);
    }
    std::int64_t time() {
        std::uint64_t value = 0;
        for (int i = 0; i < 8; ++i) value = value << 8 | byte();
        return static_cast<std::int64_t>(value);
    }
    // Everything was there, and nothing more.
    bool done() const { return whole_ && rest_.empty(); }

  private:
    std::string_view take(std::size_t count) {
        if (count > rest_.size()) {
            whole_ = false;
            rest_ = {};
            return {};
        }
        const auto taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }
    std::string_view rest_;
    bool whole_ = true;
};

}  // namespace

base::Secret seal_session(const Ring& ring, const Session& session) {
    const std::array<std::string_view, 8> texts{session.access_key_id, session.secret.reveal(), session.account_id, session.role_id,
                                                session.role_name,     session.session_name,    session.policy,     session.source_identity};
    std::size_t size = 1 + 2 * 8;
    for (const auto text : texts) size += 2 + text.size();
    if (size > session_token_bytes) throw std::length_error("the session does not fit into a token");
    Writer out(size);
    out.byte(version);
    for (const auto text : texts) out.text(text);
    out.time(session.issued_at_ms);
    out.time(session.expires_at_ms);
    std::string bytes(mark);
    bytes += ring.seal(Purpose::session_token, out.bytes(), associated);
    std::string token = base::base64(bytes);
    if (token.size() > session_token_bytes) throw std::length_error("the session does not fit into a token");
    return base::Secret(std::move(token));
}

std::optional<Session> open_session(const Ring& ring, std::string_view token) {
    if (token.size() > session_token_bytes) return {};
    const auto bytes = base::unbase64(token);
    if (!bytes || !bytes->starts_with(mark)) return {};
    const auto plain = ring.open(Purpose::session_token, std::string_view(*bytes).substr(mark.size()), associated);
    if (!plain) return {};
    Reader in(plain->reveal());
    if (in.byte() != version) return {};
    Session session;
    session.access_key_id = in.text();
    session.secret = base::Secret(std::string(in.text()));
    session.account_id = in.text();
    session.role_id = in.text();
    session.role_name = in.text();
    session.session_name = in.text();
    session.policy = in.text();
    session.source_identity = in.text();
    session.issued_at_ms = in.time();
    session.expires_at_ms = in.time();
    if (!in.done()) return {};
    return session;
}

}  // namespace openrd::keys
