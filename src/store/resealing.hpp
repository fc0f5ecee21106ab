#pragma once
// What stands under the keys of the key file, row by row: for the jobs that bring it under newer keys (docs/operations/keys.md).
#include "db/engine.hpp"
#include "keys/ring.hpp"

#include <array>
#include <vector>

namespace openrd::store {

// Every column with something that is sealed.
enum class SealedColumn : std::uint8_t { access_key, account_phone, member_phone, verification_phone, message_phone, subject_key };
inline constexpr std::array<SealedColumn, 6> sealed_columns = {SealedColumn::access_key,         SealedColumn::account_phone, SealedColumn::member_phone,
                                                               SealedColumn::verification_phone, SealedColumn::message_phone, SealedColumn::subject_key};

struct SealedValue {
    std::string first, second;  // the row's key; second may be empty
    std::string sealed;
};
keys::Purpose purpose_of(SealedColumn);
const std::string& associated_with(SealedColumn, const SealedValue&);
// In the order of their keys, after that of `after`.
std::vector<SealedValue> list_sealed(db::Transaction&, SealedColumn, const SealedValue& after, std::int64_t limit);
// False: it is another by now, or gone.
bool replace_sealed(db::Transaction&, SealedColumn, const SealedValue& old, std::string_view sealed);

// Every place of a blind index whose number is at hand.
enum class IndexedRow : std::uint8_t { member, verification };
struct IndexedPhone {
    std::string first, second;  // the row's key: directory and account; account and purpose
    std::string account_id, directory_id;
    std::string phone_index, phone_sealed;
};
std::vector<IndexedPhone> list_indexed(db::Transaction&, IndexedRow, const IndexedPhone& after, std::int64_t limit);
// The row's index, and with a member's its use of the phone, and the subject of the log. False: it is another by now, or gone.
bool move_index(db::Transaction&, IndexedRow, const IndexedPhone&, std::string_view log_account_id, std::string_view phone_index);

// Subjects that are not destroyed, and uses of phones, in the order of their keys. `second` is subject_ref, or empty.
struct IndexOnly {
    std::string first, phone_index, second;
    std::int64_t uses = 0;
};
std::vector<IndexOnly> list_subject_indexes(db::Transaction&, const IndexOnly& after, std::int64_t limit);
// The subject is found by no number any more; its key and what it opens stay.
bool unlink_subject(db::Transaction&, const IndexOnly&);
std::vector<IndexOnly> list_phone_uses(db::Transaction&, const IndexOnly& after, std::int64_t limit);
void delete_unused_phone(db::Transaction&, std::string_view phone_index);

// Codes that can still be redeemed, or are on their way, under this code key.
std::int64_t count_codes_under_way(db::Transaction&, std::uint32_t code_key_id, std::int64_t now_ms);

}  // namespace openrd::store
