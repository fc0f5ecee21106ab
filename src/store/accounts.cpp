#include "store/accounts.hpp"

namespace openrd::store {
namespace {

Account read(const db::Rows& rows) {
    return {.account_id = rows.text(0),
            .account_name = rows.text(1),
            .display_name = rows.text(2),
            .email = rows.text(3),
            .site = rows.text(4),
            .standing = rows.text(5),
            .directory_id = rows.optional_text(6),
            .enterprise_name = rows.text(7),
            .enterprise_state = rows.text(8),
            .root_enabled = rows.integer(9) != 0,
            .phone_sealed = rows.optional_bytes(10),
            .created_at_ms = rows.integer(11)};
}

}  // namespace

std::optional<Account> find_account(db::Transaction& tx, std::string_view account_id) {
    static constexpr db::Sql sql{
        "SELECT account_id, account_name, display_name, email, site, standing, directory_id, enterprise_name, enterprise_state, root_enabled, phone_sealed, created_at_ms "
        "FROM accounts WHERE account_id = $1"};
    auto rows = tx.query(sql, {account_id});
    return rows.next() ? std::optional(read(rows)) : std::nullopt;
}

std::optional<Account> hold_account(db::Transaction& tx, std::string_view account_id) {
    static constexpr db::Sql sql{
        "SELECT account_id, account_name, display_name, email, site, standing, directory_id, enterprise_name, enterprise_state, root_enabled, phone_sealed, created_at_ms "
        "FROM accounts WHERE account_id = $1 /*for update*/"};
    auto rows = tx.query(sql, {account_id});
    return rows.next() ? std::optional(read(rows)) : std::nullopt;
}

void insert_account(db::Transaction& tx, const Account& a) {
    static constexpr db::Sql sql{
        "INSERT INTO accounts (account_id, account_name, display_name, email, site, standing, directory_id, enterprise_name, enterprise_state, root_enabled, phone_sealed, "
        "created_at_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"};
    tx.run(sql, {a.account_id, a.account_name, a.display_name, a.email, a.site, a.standing, db::optional_text(a.directory_id), a.enterprise_name, a.enterprise_state,
                 std::int64_t{a.root_enabled}, db::optional_bytes(a.phone_sealed), a.created_at_ms});
    tx.changed(db::Topic::identities);
}

void set_standing(db::Transaction& tx, std::string_view account_id, std::string_view standing, const std::optional<std::string>& directory_id) {
    static constexpr db::Sql sql{"UPDATE accounts SET standing = $2, directory_id = $3 WHERE account_id = $1"};
    tx.run(sql, {account_id, standing, db::optional_text(directory_id)});
    tx.changed(db::Topic::identities);
}

bool set_enterprise_state(db::Transaction& tx, std::string_view account_id, std::string_view state) {
    static constexpr db::Sql sql{"UPDATE accounts SET enterprise_state = $2 WHERE account_id = $1"};
    tx.changed(db::Topic::identities);
    return tx.run(sql, {account_id, state}) != 0;
}

std::vector<Account> list_accounts(db::Transaction& tx, std::string_view after, std::int64_t limit) {
    static constexpr db::Sql sql{
        "SELECT account_id, account_name, display_name, email, site, standing, directory_id, enterprise_name, enterprise_state, root_enabled, phone_sealed, created_at_ms "
        "FROM accounts WHERE account_id > $1 ORDER BY account_id LIMIT $2"};
    std::vector<Account> accounts;
    for (auto rows = tx.query(sql, {after, limit}); rows.next();) accounts.push_back(read(rows));
    return accounts;
}

}  // namespace openrd::store
