#pragma once
// Which nonces were used. Memory decides, for one process (hot-path.md, rules 3 and 11); the nonces of writes stand in the audit
// log as well, from where a restarted server takes them back.
#include <cstdint>
#include <memory>
#include <string_view>

namespace openrd::pipeline {

class Nonces {
  public:
    enum class Verdict : std::uint8_t {
        fresh,
        used,
        too_old,  // signed before the floor: what was dropped to stay within the bound can never be accepted again
    };

    // `window_ms`: how far a signed time may lie from now; a nonce is kept until its signed time is that old.
    // `max_bytes`: the bound of memory.
    explicit Nonces(std::int64_t window_ms, std::size_t max_bytes = 256u * 1024 * 1024);
    ~Nonces();
    Nonces(const Nonces&) = delete;
    Nonces& operator=(const Nonces&) = delete;

    // Takes the nonce, once: of many threads with the same one exactly one is told `fresh`. `hash` is keys::Ring::nonce_hash: 16
    // bytes, keyed, so that nobody can choose nonces that fall together. May be called from many threads.
    Verdict take(std::string_view hash, std::int64_t signed_ms, std::int64_t now_ms);
    // The sandbox's reset.
    void clear();

    std::size_t bytes() const;  // in use by the table

  private:
    struct Table;
    std::unique_ptr<Table> table_;
};

}  // namespace openrd::pipeline
