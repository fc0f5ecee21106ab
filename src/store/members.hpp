#pragma once
// The members of a directory, and the secure phone that is bound to one.
#include "db/engine.hpp"

#include <vector>

namespace openrd::store {

inline constexpr std::string_view resource_account = "ResourceAccount", cloud_account = "CloudAccount";

struct Member {
    std::string directory_id;
    std::string account_id;
    std::string folder_id;
    std::string account_name;
    std::string display_name;
    std::string type = std::string(resource_account);
    std::string status = "CreateSuccess";
    std::string join_method = "created";
    std::int64_t joined_at_ms = 0;
    std::int64_t modified_at_ms = 0;
    std::string payer_account_id;
    std::string resell_account_type = "resell";
    std::optional<std::string> deletion_status;
    std::optional<std::string> email_status;
    std::optional<std::string> phone_sealed;  // keys::Purpose::phone, associated with the account id
    std::string path;                         // of its folder and itself; filled in by reads
};

struct PhoneBinding {
    std::string phone_index;
    std::string phone_sealed;
    std::string bound_by;  // ARN
    std::string verification_id;
    std::int64_t bound_at_ms = 0;
};

struct MemberFilter {
    std::string folder_id;          // empty: the whole directory
    std::string keyword;            // folded; empty: all
    std::vector<std::string> only;  // ids that have the tags asked for, sorted
    bool by_tags = false;
    bool filtered() const { return !keyword.empty() || by_tags; }
};

enum class NewMember : std::uint8_t { inserted, display_name_taken, account_name_taken };

std::optional<Member> find_member(db::Transaction&, std::string_view directory_id, std::string_view account_id);
// Its RDPath alone, for authorization; empty: no such member.
// Nobody else holds the member or changes its row until this transaction ends. What was read before is to be read again.
void hold_member(db::Transaction&, std::string_view directory_id, std::string_view account_id);
std::string find_member_path(db::Transaction&, std::string_view directory_id, std::string_view account_id);
// Puts a member into its folder and counts it; the account's standing is the caller's business.
NewMember insert_member(db::Transaction&, const Member&);
// False when the member has a phone already or is not there.
bool bind_phone(db::Transaction&, std::string_view directory_id, std::string_view account_id, const PhoneBinding&);
// The blind index of the phone that was bound; nothing when there was none.
std::optional<std::string> unbind_phone(db::Transaction&, std::string_view directory_id, std::string_view account_id, std::int64_t now_ms);

// In order of account ids: from `offset`, or after `after`.
std::vector<Member> list_members(db::Transaction&, std::string_view directory_id, const MemberFilter&, std::string_view after, std::int64_t offset, std::int64_t limit);
// Of a filtered list; the unfiltered counts are kept in the directory and the folder.
std::int64_t count_members(db::Transaction&, std::string_view directory_id, const MemberFilter&);

}  // namespace openrd::store
