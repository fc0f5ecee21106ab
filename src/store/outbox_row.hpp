#pragma once
// Private to the outbox's files: how a message is read from
//   account_id, message_id, purpose, verification_id, code_key_id, phone_sealed, state, channel, attempt_id, tries, repeats, not_before_ms,
//   expires_at_ms, provider_ref, provider_code, segments, created_at_ms, updated_at_ms
#include "store/outbox.hpp"

namespace openrd::store {

inline Message outbox_row(const db::Rows& rows) {
    return {.account_id = rows.text(0),
            .message_id = rows.text(1),
            .purpose = rows.text(2),
            .verification_id = rows.bytes(3),
            .code_key_id = rows.integer(4),
            .phone_sealed = rows.bytes(5),
            .state = rows.text(6),
            .channel = rows.text(7),
            .attempt_id = rows.text(8),
            .tries = rows.integer(9),
            .repeats = rows.integer(10),
            .not_before_ms = rows.integer(11),
            .expires_at_ms = rows.integer(12),
            .provider_ref = rows.text(13),
            .provider_code = rows.text(14),
            .segments = rows.integer(15),
            .created_at_ms = rows.integer(16),
            .updated_at_ms = rows.integer(17)};
}

inline std::vector<Message> outbox_rows(db::Rows rows) {
    std::vector<Message> messages;
    while (rows.next()) messages.push_back(outbox_row(rows));
    return messages;
}

}  // namespace openrd::store
