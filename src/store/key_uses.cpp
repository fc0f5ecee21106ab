#include "store/key_uses.hpp"

#include "store/facts.hpp"

#include <fmt/format.h>

#include <charconv>

namespace openrd::store {
namespace {

constexpr std::string_view code_fact = "key/code", index_fact = "key/index", encryption_fact = "key/encryption", checkpoint_fact = "key/checkpoint";
constexpr std::uint32_t first_key = 1;

// Absent before the first rotation.
std::uint32_t id_of(const std::optional<std::string>& text) {
    std::uint32_t id = first_key;
    if (text) std::from_chars(text->data(), text->data() + text->size(), id);
    return id;
}

std::string change_fact(std::size_t number) { return fmt::format("audit_key_change/{}", number); }

}  // namespace

keys::Uses load_key_uses(db::Transaction& tx) {
    return {.code = id_of(find_fact(tx, code_fact)),
            .index = id_of(find_fact(tx, index_fact)),
            .encryption = id_of(find_fact(tx, encryption_fact)),
            .checkpoint = id_of(find_fact(tx, checkpoint_fact))};
}

void put_key_uses(db::Transaction& tx, const keys::Uses& uses) {
    put_fact(tx, code_fact, std::to_string(uses.code));
    put_fact(tx, index_fact, std::to_string(uses.index));
    put_fact(tx, encryption_fact, std::to_string(uses.encryption));
    put_fact(tx, checkpoint_fact, std::to_string(uses.checkpoint));
}

std::uint32_t hold_checkpoint_key(db::Transaction& tx) {
    static constexpr db::Sql there{"INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING"};
    static constexpr db::Sql hold{"SELECT value FROM facts WHERE name = $1 /*for update*/"};
    tx.run(there, {checkpoint_fact, std::to_string(first_key)});
    auto rows = tx.query(hold, {checkpoint_fact});
    return id_of(rows.next() ? std::optional(rows.text(0)) : std::nullopt);
}

std::vector<std::string> list_key_changes(db::Transaction& tx) {
    std::vector<std::string> notes;
    while (auto note = find_fact(tx, change_fact(notes.size() + 1))) notes.push_back(*std::move(note));
    return notes;
}

void append_key_change(db::Transaction& tx, std::string_view note) { put_fact(tx, change_fact(list_key_changes(tx).size() + 1), note); }

}  // namespace openrd::store
