#include "store/members.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace openrd::store {
namespace {

Member read(const db::Rows& rows) {
    Member m{.directory_id = rows.text(0),
             .account_id = rows.text(1),
             .folder_id = rows.text(2),
             .account_name = rows.text(3),
             .display_name = rows.text(4),
             .type = rows.text(5),
             .status = rows.text(6),
             .join_method = rows.text(7),
             .joined_at_ms = rows.integer(8),
             .modified_at_ms = rows.integer(9),
             .payer_account_id = rows.text(10),
             .resell_account_type = rows.text(11),
             .deletion_status = rows.optional_text(12),
             .email_status = rows.optional_text(13),
             .phone_sealed = rows.optional_bytes(14),
             .path = rows.text(15)};
    m.path += '/';
    m.path += m.account_id;
    return m;
}

}  // namespace

std::optional<Member> find_member(db::Transaction& tx, std::string_view directory_id, std::string_view account_id) {
    static constexpr db::Sql sql{
        "SELECT m.directory_id, m.account_id, m.folder_id, m.account_name, m.display_name, m.type, m.status, m.join_method, m.joined_at_ms, m.modified_at_ms, m.payer_account_id, "
        "m.resell_account_type, m.deletion_status, m.email_status, m.phone_sealed, f.path "
        "FROM members m JOIN folders f ON f.directory_id = m.directory_id AND f.folder_id = m.folder_id WHERE m.directory_id = $1 AND m.account_id = $2"};
    auto rows = tx.query(sql, {directory_id, account_id});
    return rows.next() ? std::optional(read(rows)) : std::nullopt;
}

void hold_member(db::Transaction& tx, std::string_view directory_id, std::string_view account_id) {
    static constexpr db::Sql sql{"SELECT 1 FROM members WHERE directory_id = $1 AND account_id = $2 /*for update*/"};
    tx.post(sql, {directory_id, account_id});
}

std::string find_member_path(db::Transaction& tx, std::string_view directory_id, std::string_view account_id) {
    static constexpr db::Sql sql{
        "SELECT f.path FROM members m JOIN folders f ON f.directory_id = m.directory_id AND f.folder_id = m.folder_id WHERE m.directory_id = $1 AND m.account_id = $2"};
    auto rows = tx.query(sql, {directory_id, account_id});
    return rows.next() ? rows.text(0) + "/" + std::string(account_id) : std::string();
}

NewMember insert_member(db::Transaction& tx, const Member& m) {
    static constexpr db::Sql insert{
        "INSERT INTO members (directory_id, account_id, folder_id, account_name, display_name, folded_name, type, status, join_method, joined_at_ms, modified_at_ms, "
        "payer_account_id, "
        "resell_account_type) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING"};
    static constexpr db::Sql named{"SELECT 1 FROM members WHERE directory_id = $1 AND display_name = $2"};
    static constexpr db::Sql count_in_folder{"UPDATE folders SET member_count = member_count + 1 WHERE directory_id = $1 AND folder_id = $2"};
    static constexpr db::Sql count_in_directory{"UPDATE directories SET member_count = member_count + 1 WHERE directory_id = $1"};
    if (tx.run(insert, {m.directory_id, m.account_id, m.folder_id, m.account_name, m.display_name, base::ascii_lower(m.display_name), m.type, m.status, m.join_method,
                        m.joined_at_ms, m.modified_at_ms, m.payer_account_id, m.resell_account_type}) == 0)
        return tx.query(named, {m.directory_id, m.display_name}).next() ? NewMember::display_name_taken : NewMember::account_name_taken;
    tx.run(count_in_folder, {m.directory_id, m.folder_id});
    tx.run(count_in_directory, {m.directory_id});
    return NewMember::inserted;
}

bool bind_phone(db::Transaction& tx, std::string_view directory_id, std::string_view account_id, const PhoneBinding& b) {
    static constexpr db::Sql sql{
        "UPDATE members SET phone_index = $3, phone_sealed = $4, phone_bound_at_ms = $5, phone_bound_by = $6, phone_verification_id = $7, modified_at_ms = $5 "
        "WHERE directory_id = $1 AND account_id = $2 AND phone_index IS NULL"};
    return tx.run(sql, {directory_id, account_id, db::Bytes{b.phone_index}, db::Bytes{b.phone_sealed}, b.bound_at_ms, b.bound_by, db::Bytes{b.verification_id}}) != 0;
}

std::optional<std::string> unbind_phone(db::Transaction& tx, std::string_view directory_id, std::string_view account_id, std::int64_t now_ms) {
    static constexpr db::Sql bound{"SELECT phone_index FROM members WHERE directory_id = $1 AND account_id = $2 AND phone_index IS NOT NULL /*for update*/"};
    static constexpr db::Sql unbind{
        "UPDATE members SET phone_index = NULL, phone_sealed = NULL, phone_bound_at_ms = NULL, phone_bound_by = NULL, phone_verification_id = NULL, modified_at_ms = $3 "
        "WHERE directory_id = $1 AND account_id = $2"};
    std::optional<std::string> index;
    if (auto rows = tx.query(bound, {directory_id, account_id}); rows.next()) index = rows.bytes(0);
    if (index) tx.run(unbind, {directory_id, account_id, now_ms});
    return index;
}

std::vector<Member> list_members(db::Transaction& tx, std::string_view directory_id, const MemberFilter& filter, std::string_view after, std::int64_t offset, std::int64_t limit) {
    static constexpr db::Sql of_directory{
        "SELECT m.directory_id, m.account_id, m.folder_id, m.account_name, m.display_name, m.type, m.status, m.join_method, m.joined_at_ms, m.modified_at_ms, m.payer_account_id, "
        "m.resell_account_type, m.deletion_status, m.email_status, m.phone_sealed, f.path "
        "FROM members m JOIN folders f ON f.directory_id = m.directory_id AND f.folder_id = m.folder_id "
        "WHERE m.directory_id = $1 AND m.account_id > $2 AND ($3 = '' OR replace(m.folded_name, $3, '') <> m.folded_name) ORDER BY m.account_id LIMIT $4 OFFSET $5"};
    static constexpr db::Sql of_folder{
        "SELECT m.directory_id, m.account_id, m.folder_id, m.account_name, m.display_name, m.type, m.status, m.join_method, m.joined_at_ms, m.modified_at_ms, m.payer_account_id, "
        "m.resell_account_type, m.deletion_status, m.email_status, m.phone_sealed, f.path "
        "FROM members m JOIN folders f ON f.directory_id = m.directory_id AND f.folder_id = m.folder_id "
        "WHERE m.directory_id = $1 AND m.folder_id = $6 AND m.account_id > $2 AND ($3 = '' OR replace(m.folded_name, $3, '') <> m.folded_name) ORDER BY m.account_id LIMIT $4 "
        "OFFSET $5"};
    std::vector<Member> members;
    const auto add = [&](db::Rows rows) {
        while (rows.next()) members.push_back(read(rows));
    };
    if (filter.by_tags) {  // the tags have chosen the members already
        auto at = std::ranges::upper_bound(filter.only, after);
        for (; at != filter.only.end() && static_cast<std::int64_t>(members.size()) < limit; ++at) {
            auto member = find_member(tx, directory_id, *at);
            if (!member || (!filter.folder_id.empty() && member->folder_id != filter.folder_id)) continue;
            if (!filter.keyword.empty() && base::ascii_lower(member->display_name).find(filter.keyword) == std::string::npos) continue;
            if (offset-- > 0) continue;
            members.push_back(*std::move(member));
        }
    } else if (filter.folder_id.empty()) {
        add(tx.query(of_directory, {directory_id, after, filter.keyword, limit, offset}));
    } else {
        add(tx.query(of_folder, {directory_id, after, filter.keyword, limit, offset, filter.folder_id}));
    }
    return members;
}

std::int64_t count_members(db::Transaction& tx, std::string_view directory_id, const MemberFilter& filter) {
    static constexpr db::Sql matching{"SELECT count(*) FROM members WHERE directory_id = $1 AND ($2 = '' OR folder_id = $2) AND replace(folded_name, $3, '') <> folded_name"};
    if (!filter.by_tags) {
        auto rows = tx.query(matching, {directory_id, filter.folder_id, filter.keyword});
        return rows.next() ? rows.integer(0) : 0;
    }
    return static_cast<std::int64_t>(list_members(tx, directory_id, filter, "", 0, INT64_MAX).size());
}

}  // namespace openrd::store
