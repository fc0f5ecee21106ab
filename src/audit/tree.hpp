#pragma once
// The Merkle tree of RFC 6962, section 2.1, kept as a compact range: of all subtrees only the roots that are still needed to go on,
// at most one for each bit of the size. An entry of the audit log is one line; its leaf is SHA-256(0x00 | line | LF).
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace openrd::audit {

inline constexpr std::size_t hash_bytes = 32;
using Hash = std::array<std::uint8_t, hash_bytes>;

inline std::string_view bytes_of(const Hash& hash) { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }
std::optional<Hash> hash_of(std::string_view bytes);  // nothing when they are not 32

Hash sha256(std::string_view data);

// Of the line without its LF, which is hashed with it.
Hash leaf_hash(std::string_view line);
Hash node_hash(const Hash& left, const Hash& right);

// A leaf that comes in pieces, so that a line of any length costs no memory. Good for one leaf after the other, on one thread.
class LeafHasher {
  public:
    LeafHasher();
    void update(std::string_view piece);
    Hash finish();  // the data so far are a leaf; the next piece begins another

  private:
    struct Free {
        void operator()(void* context) const noexcept;
    };
    std::unique_ptr<void, Free> context_;
    bool begun_ = false;
};

class Tree {
  public:
    void add(const Hash& leaf);

    std::uint64_t size() const { return size_; }
    Hash root() const;  // SHA-256 of nothing while the tree is empty

    // The roots of the complete subtrees, largest first, 32 bytes each: with the size, all that is needed to go on.
    std::string frontier() const;
    // Nothing when the bytes are not as many as this size needs.
    static std::optional<Tree> from_frontier(std::uint64_t size, std::string_view frontier);

  private:
    std::uint64_t size_ = 0;
    std::vector<Hash> subtrees_;
};

}  // namespace openrd::audit
