#include "store/policies.hpp"

namespace openrd::store {

void insert_policy(db::Transaction& tx, std::string_view account_id, std::string_view policy_name, std::string_view document, std::int64_t now_ms) {
    static constexpr db::Sql sql{"INSERT INTO policies (account_id, policy_name, document, description, created_at_ms) VALUES ($1, $2, $3, '', $4)"};
    tx.run(sql, {account_id, policy_name, document, now_ms});
    tx.changed(db::Topic::identities);
}

void attach_policy(db::Transaction& tx, std::string_view account_id, std::string_view principal_kind, std::string_view principal_id, std::string_view policy_type,
                   std::string_view policy_name, std::int64_t now_ms) {
    static constexpr db::Sql sql{
        "INSERT INTO policy_attachments (account_id, principal_kind, principal_id, policy_type, policy_name, attached_at_ms) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO "
        "NOTHING"};
    tx.run(sql, {account_id, principal_kind, principal_id, policy_type, policy_name, now_ms});
    tx.changed(db::Topic::identities);
}

std::vector<AttachedPolicy> attached_policies(db::Transaction& tx, std::string_view account_id, std::string_view principal_kind, std::string_view principal_id) {
    static constexpr db::Sql sql{
        "SELECT a.policy_type, a.policy_name, p.document FROM policy_attachments a "
        "LEFT JOIN policies p ON p.account_id = a.account_id AND p.policy_name = a.policy_name AND a.policy_type = 'Custom' "
        "WHERE a.account_id = $1 AND a.principal_kind = $2 AND a.principal_id = $3 ORDER BY a.policy_type, a.policy_name"};
    std::vector<AttachedPolicy> policies;
    for (auto rows = tx.query(sql, {account_id, principal_kind, principal_id}); rows.next();)
        policies.push_back({rows.text(0), rows.text(1), rows.optional_text(2).value_or(std::string())});
    return policies;
}

}  // namespace openrd::store
