import { LiveExtensions } from '../../protocol/v1/extensions.ts';
import { registerPart } from './registry.ts';

registerPart('extensions', LiveExtensions);
