#include "audit/key_change.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace openrd::audit {
namespace {

constexpr std::string_view heading = "openrd audit key change";

using Wrong = tl::unexpected<std::string>;

std::string_view take_line(std::string_view& text) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    return line;
}

struct Change {
    std::uint64_t size = 0;
    VerifierKey before, after;
};

// What the note says; nobody has vouched for it yet.
std::optional<Change> parse_change(std::string_view note) {
    if (note.size() > note_bytes || take_line(note) != heading) return {};
    const auto origin = take_line(note), size = take_line(note);
    auto before = parse_verifier_key(take_line(note)), after = parse_verifier_key(take_line(note));
    Change change;
    const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), change.size);
    if (error != std::errc() || end != size.data() + size.size() || !before || !after || before->origin != origin || after->origin != origin) return {};
    if (before->public_key == after->public_key || !note.starts_with('\n')) return {};
    change.before = *std::move(before);
    change.after = *std::move(after);
    return change;
}

tl::expected<Change, std::string> verified_change(std::string_view note) {
    auto change = parse_change(note);
    if (!change) return Wrong("it is not a change of the log's key");
    for (const auto* key : {&change->before, &change->after})
        if (const auto text = signed_text(note, *key); !text) return Wrong(text.error());
    return *std::move(change);
}

bool same(const VerifierKey& a, const VerifierKey& b) { return a.origin == b.origin && a.public_key == b.public_key; }

}  // namespace

std::string sign_key_change(const keys::Ring& ring, std::string_view origin, std::uint64_t size, std::uint32_t old_id, std::uint32_t new_id) {
    const VerifierKey before{.origin = std::string(origin), .public_key = ring.checkpoint_public_key(old_id)};
    const VerifierKey after{.origin = std::string(origin), .public_key = ring.checkpoint_public_key(new_id)};
    const auto text = fmt::format("{}\n{}\n{}\n{}\n{}\n", heading, origin, size, before.text(), after.text());
    return fmt::format("{}\n{}{}", text, signature_line(before, ring.sign_checkpoint(text, old_id)), signature_line(after, ring.sign_checkpoint(text, new_id)));
}

tl::expected<KeyChain, std::string> KeyChain::of_notes(const std::vector<std::string>& notes, const VerifierKey& trusted) {
    if (notes.empty()) return KeyChain(trusted);
    KeyChain chain;
    for (const auto& note : notes) {
        auto change = verified_change(note);
        if (!change) return Wrong(fmt::format("change {} of the log's key: {}", chain.keys_.size(), change.error()));
        if (chain.keys_.empty()) chain.keys_.push_back({.from = 0, .key = change->before});
        if (!same(chain.newest(), change->before)) return Wrong(fmt::format("change {} of the log's key does not go on from the key before it", chain.keys_.size()));
        if (change->size < chain.keys_.back().from) return Wrong(fmt::format("change {} of the log's key lies before the one before it", chain.keys_.size()));
        chain.keys_.push_back({.from = change->size, .key = std::move(change->after)});
    }
    if (!chain.holds(trusted)) return Wrong("the changes of the log's key have nothing to do with the key that is trusted");
    return chain;
}

const VerifierKey& KeyChain::key_of(std::uint64_t size) const {
    const auto* key = &keys_.front().key;
    for (const auto& era : keys_)
        if (size > era.from) key = &era.key;
    return *key;
}

tl::expected<Checkpoint, std::string> KeyChain::parse_and_verify(std::string_view note) const {
    for (const auto& era : keys_) {
        auto checkpoint = audit::parse_and_verify(note, era.key);
        if (!checkpoint) continue;
        if (!same(key_of(checkpoint->size), era.key)) return Wrong(fmt::format("signed with a key that was not the log's at {} entries", checkpoint->size));
        return checkpoint;
    }
    return audit::parse_and_verify(note, newest());  // for its reason
}

bool KeyChain::holds(const VerifierKey& key) const {
    return std::ranges::any_of(keys_, [&](const Era& era) { return same(era.key, key); });
}

tl::expected<KeyChain, std::string> own_chain(const keys::Ring& ring, std::string_view origin, const std::vector<std::string>& notes) {
    return KeyChain::of_notes(notes, verifier_key(ring, origin));
}

}  // namespace openrd::audit
