import { Cacheable, cacheKeyOf } from 'nestjs-cache-hierarchy';

class SearchService {
  @Cacheable()
  async search(text: string, options: { limit: number; country?: string }): Promise<string[]> {
    return [text, String(options.limit)];
  }
}

console.log(cacheKeyOf(SearchService, 'search', ['rome', { limit: 5, country: 'IT' }])); // SearchService.search("rome",{"country":"IT","limit":5})
console.log(cacheKeyOf(SearchService, 'search', ['rome', { country: 'IT', limit: 5 }])); // SearchService.search("rome",{"country":"IT","limit":5})
