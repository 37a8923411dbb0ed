import { clientAuthentication } from '../../protocol/client-authentication.ts';
import { registerPart } from './registry.ts';

registerPart('authentication', clientAuthentication);
