#include "audit/tree.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <new>
#include <stdexcept>

namespace openrd::audit {
namespace {

constexpr std::uint8_t leaf_prefix[] = {0x00};
constexpr std::uint8_t node_prefix[] = {0x01};

struct FreeContext {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

void check(int ok) {
    if (ok != 1) throw std::runtime_error("SHA-256 cannot be used on this machine");
}

// Fetched once: OpenSSL looks an algorithm up by its name otherwise, for longer than a short line takes.
const EVP_MD* algorithm() {
    static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    if (!fetched) throw std::runtime_error("SHA-256 cannot be used on this machine");
    return fetched;
}

void begin(EVP_MD_CTX* context) { check(EVP_DigestInit_ex2(context, algorithm(), nullptr)); }
void add(EVP_MD_CTX* context, const void* data, std::size_t size) { check(EVP_DigestUpdate(context, data, size)); }
Hash end(EVP_MD_CTX* context) {
    Hash hash;
    check(EVP_DigestFinal_ex(context, hash.data(), nullptr));
    return hash;
}

// One for each thread: making one costs as much as hashing a short line.
EVP_MD_CTX* context_of_this_thread() {
    thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
    if (!context) throw std::bad_alloc();
    return context.get();
}

}  // namespace

std::optional<Hash> hash_of(std::string_view bytes) {
    if (bytes.size() != hash_bytes) return {};
    Hash hash;
    std::copy(bytes.begin(), bytes.end(), hash.begin());
    return hash;
}

Hash sha256(std::string_view data) {
    EVP_MD_CTX* const context = context_of_this_thread();
    begin(context);
    add(context, data.data(), data.size());
    return end(context);
}

Hash leaf_hash(std::string_view line) {
    EVP_MD_CTX* const context = context_of_this_thread();
    begin(context);
    add(context, leaf_prefix, sizeof leaf_prefix);
    add(context, line.data(), line.size());
    add(context, "\n", 1);
    return end(context);
}

Hash node_hash(const Hash& left, const Hash& right) {
    EVP_MD_CTX* const context = context_of_this_thread();
    begin(context);
    add(context, node_prefix, sizeof node_prefix);
    add(context, left.data(), left.size());
    add(context, right.data(), right.size());
    return end(context);
}

void LeafHasher::Free::operator()(void* context) const noexcept { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context)); }

LeafHasher::LeafHasher() : context_(EVP_MD_CTX_new()) {
    if (!context_) throw std::bad_alloc();
}

void LeafHasher::update(std::string_view piece) {
    auto* const context = static_cast<EVP_MD_CTX*>(context_.get());
    if (!begun_) {
        begin(context);
        add(context, leaf_prefix, sizeof leaf_prefix);
        begun_ = true;
    }
    add(context, piece.data(), piece.size());
}

Hash LeafHasher::finish() {
    update({});
    begun_ = false;
    return end(static_cast<EVP_MD_CTX*>(context_.get()));
}

void Tree::add(const Hash& leaf) {
    Hash subtree = leaf;
    // Each low bit that is set is a complete subtree as large as the one that was just completed.
    for (std::uint64_t bits = size_; (bits & 1U) != 0; bits >>= 1) {
        subtree = node_hash(subtrees_.back(), subtree);
        subtrees_.pop_back();
    }
    subtrees_.push_back(subtree);
    ++size_;
}

Hash Tree::root() const {
    if (subtrees_.empty()) return sha256({});
    Hash root = subtrees_.back();
    for (std::size_t i = subtrees_.size() - 1; i-- > 0;) root = node_hash(subtrees_[i], root);
    return root;
}

std::string Tree::frontier() const {
    std::string bytes;
    bytes.reserve(subtrees_.size() * hash_bytes);
    for (const Hash& subtree : subtrees_) bytes += bytes_of(subtree);
    return bytes;
}

std::optional<Tree> Tree::from_frontier(std::uint64_t size, std::string_view frontier) {
    if (frontier.size() != static_cast<std::size_t>(std::popcount(size)) * hash_bytes) return {};
    Tree tree;
    tree.size_ = size;
    for (; !frontier.empty(); frontier.remove_prefix(hash_bytes)) tree.subtrees_.push_back(*hash_of(frontier.substr(0, hash_bytes)));
    return tree;
}

}  // namespace openrd::audit
