#pragma once
// libcurl, loaded when something is to be sent: a server without a gateway does not wait for its thirty companions (decision 0014).
#include <curl/curl.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace openrd::delivery {

struct Libcurl {
    CURL* (*easy_init)() = nullptr;
    void (*easy_cleanup)(CURL*) = nullptr;
    CURLcode (*easy_setopt)(CURL*, CURLoption, ...) = nullptr;
    CURLcode (*easy_perform)(CURL*) = nullptr;
    CURLcode (*easy_getinfo)(CURL*, CURLINFO, ...) = nullptr;
    const char* (*easy_strerror)(CURLcode) = nullptr;
    curl_slist* (*slist_append)(curl_slist*, const char*) = nullptr;
    void (*slist_free_all)(curl_slist*) = nullptr;
    time_t (*getdate)(const char*, const time_t*) = nullptr;
};

// std::runtime_error: it is not installed, or cannot be used. The first call takes some 30 ms; any thread may make it.
const Libcurl& libcurl();

// One transfer.
class Easy {
  public:
    Easy() : curl_(libcurl()), handle_(curl_.easy_init(), curl_.easy_cleanup) {
        if (!handle_) throw std::runtime_error("libcurl cannot be used");
    }
    template <class Value> void set(CURLoption option, Value value) {
        if (curl_.easy_setopt(handle_.get(), option, value) != CURLE_OK) throw std::runtime_error("libcurl is too old for openrd");
    }
    void set(CURLoption option, const std::string& value) { set(option, value.c_str()); }
    CURLcode perform() { return curl_.easy_perform(handle_.get()); }
    // 0 when it is not known.
    long status() const {
        long code = 0;
        curl_.easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &code);
        return code;
    }
    curl_off_t number(CURLINFO info) const {
        curl_off_t value = 0;
        curl_.easy_getinfo(handle_.get(), info, &value);
        return value;
    }

  private:
    const Libcurl& curl_;
    std::unique_ptr<CURL, void (*)(CURL*)> handle_;
};

// A list of lines for libcurl: headers, receivers.
class Lines {
  public:
    Lines() : list_(nullptr, libcurl().slist_free_all) {}
    void add(const std::string& line) {
        curl_slist* const longer = libcurl().slist_append(list_.get(), line.c_str());
        if (!longer) throw std::bad_alloc();
        list_.release();  // NOLINT(bugprone-unused-return-value): it is the same list, or its new head
        list_.reset(longer);
    }
    curl_slist* get() const { return list_.get(); }

  private:
    std::unique_ptr<curl_slist, void (*)(curl_slist*)> list_;
};

}  // namespace openrd::delivery
